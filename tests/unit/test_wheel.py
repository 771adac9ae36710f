"""The wheel: what it holds serves in a folder that is no checkout, as it does in one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fleet.model.checkout import MARK, PACKAGE
from fleet.toolchain import catalogue, golang
from fleet.toolchain.digest import of_groups

ROOT = PACKAGE.parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the installed packages."""
    out, target = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("packages")
    subprocess.run([*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(ROOT)], check=True)
    (wheel,) = out.glob("*.whl")
    subprocess.run([*PIP, "install", "--no-deps", "--target", str(target), str(wheel)], check=True)
    return target


def _fleet(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed), "FLEET_CACHE_DIR": str(folder / "cache")}
    command = [sys.executable, "-m", "fleet", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_experiments_are_found_by_name(installed: Path, tmp_path: Path) -> None:
    there = _fleet(installed, tmp_path, "experiment", "list")
    assert there.returncode == 0, there.stderr
    for file in (ROOT / "experiments").glob("*.yaml"):
        assert file.stem in there.stdout


def test_the_toolchain_is_that_of_the_checkout(installed: Path) -> None:
    go = golang.Go(None, "1.26.6", "amd64")
    digests = [
        of_groups(source, catalogue.every(source), go)
        for source in (ROOT / "toolchain", installed / "fleet" / "checkout" / "toolchain")
    ]
    assert digests[0] == digests[1]


def test_a_playbook_gets_as_far_as_it_does_in_a_checkout(installed: Path, tmp_path: Path) -> None:
    ran = _fleet(installed, tmp_path, "up", "-e", "wec_count=0", "--fleet", "wheel")
    assert ran.returncode == 2
    assert "wec_count" in ran.stderr
    assert "site.yml" not in ran.stderr


def test_everything_beside_the_package_that_git_knows_there_is_in_it(installed: Path) -> None:
    shipped = installed / "fleet" / "checkout"
    assert (shipped / MARK).is_file()
    for folder in ("playbooks", "plugins", "roles", "toolchain", "inventories", "experiments", "node_image"):
        listed = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True)
        missing = [name for name in listed.stdout.split() if not (shipped / name).is_file()]
        assert missing == []
