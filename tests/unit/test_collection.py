"""The collection is built from the checkout, and serves outside of it by full names alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.collection import COLLECTION, ROOT, build, full_filters, full_names, names

CONFIG = f"""[defaults]
collections_path = COLLECTIONS
vars_plugins_enabled = host_group_vars, {COLLECTION}.fleet_variables
callbacks_enabled = {COLLECTION}.fleet_build
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a user's, with the collection and the settings of its README."""
    folder = tmp_path_factory.mktemp("user")
    archive = build(folder / "dist")
    (folder / "ansible.cfg").write_text(CONFIG.replace("COLLECTIONS", str(folder / "collections")))
    ran = _ansible(
        folder, "galaxy", "collection", "install", "--offline", "-p", str(folder / "collections"), str(archive)
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


def _ansible(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ansible", *words],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_HOME": str(folder / "home"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def test_the_readme_shows_the_settings_that_serve(installed: Path) -> None:
    readme = (ROOT / "collection" / "README.md").read_text(encoding="utf-8")
    for line in CONFIG.splitlines()[2:]:
        assert line in readme
    assert installed.is_dir()


def test_every_module_is_documented(installed: Path) -> None:
    ran = _ansible(installed, "doc", *(f"{COLLECTION}.{name}" for name in sorted(names("modules"))))
    assert ran.returncode == 0, ran.stderr
    assert len(re.findall(r"^> MODULE", ran.stdout, re.MULTILINE)) == len(names("modules"))


@pytest.mark.parametrize("playbook", ["site", "teardown"])
def test_playbooks_are_found_by_full_name(installed: Path, playbook: str) -> None:
    inventory = ROOT / "inventories" / "localhost"
    ran = _ansible(installed, "playbook", "--syntax-check", "-i", str(inventory), f"{COLLECTION}.{playbook}")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_roles_run_by_full_name_with_the_defaults_of_the_vars_plugin(installed: Path) -> None:
    """A role with a filter, a module and an action of ours, in check mode: everything that a short name would break."""
    inventory = ROOT / "inventories" / "localhost"
    words = ["--check", "-i", str(inventory), "-e", "fleet_name=full", "-e", f"fleet_state_dir={installed / 'state'}"]
    ran = _ansible(installed, "playbook", *words, "--tags", "never-used", f"{COLLECTION}.machines")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{COLLECTION}.preflight" in ran.stdout


def test_no_short_name_is_left(installed: Path) -> None:
    folder = installed / "collections" / "ansible_collections" / Path(*COLLECTION.split("."))
    short = re.compile(rf"^\s*(- )?({'|'.join(sorted(names('modules') - {'fleet_toolchain'}))}):", re.MULTILINE)
    for file in (*folder.glob("roles/*/*/*.yml"), *folder.glob("playbooks/*.yml")):
        assert not short.search(file.read_text(encoding="utf-8")), file
    assert not [file for file in folder.rglob("*.py") if "ansible.module_utils.fleet_module" in file.read_text("utf-8")]


def test_names_become_full_where_they_are_names() -> None:
    text = """\
- name: Facts
  ansible.builtin.set_fact:
    fleet_toolchain: "{{ one | fleet_hub_planes }}"
- name: A module
  block:
    - name: Inside
      fleet_toolchain: {source: here}
- name: A role
  ansible.builtin.include_role:
    name: link
- name: Not one of ours
  ansible.builtin.include_role: {name: other}
- hosts: all
  roles:
    - role: manager
"""
    expected = (
        text.replace("      fleet_toolchain", f"      {COLLECTION}.fleet_toolchain")
        .replace("| fleet_hub", f"| {COLLECTION}.fleet_hub")
        .replace("name: link", f"name: {COLLECTION}.link")
        .replace("role: manager", f"role: {COLLECTION}.manager")
    )
    assert full_names(text) == expected
    assert full_filters("a | fleet_spread(b)") == f"a | {COLLECTION}.fleet_spread(b)"
