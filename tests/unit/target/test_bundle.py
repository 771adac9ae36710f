"""Archives have the same bytes for the same content, end with their marker, and make a Python that imports `fleet`."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from fleet.errors import FleetError
from fleet.target.bundle import COMPLETE, Interpreter, python_bundle, toolchain_bundle
from fleet.target.packages import needed

HERE = Interpreter(os.path.realpath(sys.executable), f"{sys.version_info[0]}.{sys.version_info[1]}", platform.machine())

RUN_THERE = (
    *(
        "fleet.host.clock",
        "fleet.install.control_planes",
        "fleet.host.limits",
        "fleet.host.machine_state",
        "supervisor.supervisord",
    ),
    *(
        "fleet.managers.ocm.access",
        "fleet.managers.ocm.agents",
        "fleet.managers.kubestellar.converge",
        "fleet.inventory.inspection",
        "fleet.inventory.monitoring",
    ),
    *(
        "fleet.managers.ocm.purge",
        "fleet.managers.kubestellar.status_agent.agent",
        "fleet.observe.pprof_away",
        "fleet.observe.sampler",
    ),
)
"""What our modules and commands run on a machine."""


def test_what_a_machine_needs_is_all_that_its_packages_need_and_no_more() -> None:
    names = {package.name for package in needed(("aiohttp",))}
    assert {"aiohttp", "yarl", "multidict", "attrs"} <= names
    assert not {"pandas", "matplotlib", "ansible-core"} & {package.name for package in needed()}
    with pytest.raises(FleetError, match="no-such-package"):
        needed(("no_such_package",))


def test_the_python_that_is_sent_imports_fleet_and_nothing_of_ours(tmp_path: Path) -> None:
    made = python_bundle(tmp_path, HERE)
    assert python_bundle(tmp_path, HERE) == made
    assert python_bundle(tmp_path, Interpreter("/opt/python", HERE.version, HERE.machine)).name != made.name
    with tarfile.open(made.archive) as tar:
        assert tar.getnames()[-1] == COMPLETE
    (tmp_path / "there").mkdir()
    subprocess.run(["tar", "-xf", made.archive, "-C", tmp_path / "there"], check=True)
    python = tmp_path / "there" / "bin" / "python"
    code = f"import fleet, {', '.join(RUN_THERE)}; print(fleet.__file__); import pandas"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=False, cwd="/")
    assert done.stdout.startswith(str(tmp_path / "there")), done.stderr
    assert "No module named 'pandas'" in done.stderr


def test_a_processor_that_nothing_is_built_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match="riscv64"):
        python_bundle(tmp_path, Interpreter("/usr/bin/python3", "3.12", "riscv64"))


def test_programs_that_are_one_file_are_sent_once(tmp_path: Path) -> None:
    bin_, crds = tmp_path / "bin", tmp_path / "crds"
    bin_.mkdir()
    crds.mkdir()
    (bin_ / "etcd").write_bytes(b"#!" + bytes(100_000))
    (bin_ / "etcd").chmod(0o755)
    (bin_ / "kube-apiserver").hardlink_to(bin_ / "etcd")
    (bin_ / "README").write_text("no program", encoding="utf-8")
    (crds / "works.yaml").write_text("{}", encoding="utf-8")
    made = toolchain_bundle(tmp_path / "cache", "kwok", bin_, crds, "sha256:1")
    first = made.archive.read_bytes()
    made.archive.unlink()
    assert toolchain_bundle(tmp_path / "cache", "kwok", bin_, crds, "sha256:1").archive.read_bytes() == first
    with tarfile.open(made.archive) as tar:
        members = {member.name: member for member in tar.getmembers()}
    assert list(members) == ["bin/etcd", "bin/kube-apiserver", "crds/works.yaml", COMPLETE]
    assert members["bin/kube-apiserver"].islnk()
    assert (members["bin/etcd"].mode, members["crds/works.yaml"].mode) == (0o700, 0o600)
    assert toolchain_bundle(tmp_path / "cache", "kwok", bin_, crds, "sha256:2").name != made.name
