"""`versions.yaml` of this checkout agrees with the go.mod files, and errors name the file."""

import re
from pathlib import Path

import pytest

from fleet.errors import ToolchainError
from fleet.toolchain import catalogue

SOURCE = Path(__file__).parents[3] / "toolchain"
PROGRAMS = {
    "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "dense", "kwok", "kwokctl", "registration",
    "work", "registration-operator", "kubestellar-controller-manager", "ocm-transport-controller",
    "kind", "fleet-runc", "fleet-link", "fleet-member", "kwok-host", "ocm-host",
}  # fmt: skip


def test_every_program_has_a_version() -> None:
    versions = catalogue.load(SOURCE).versions
    assert set(versions) == PROGRAMS
    assert versions["dense"] == "v1.34.4"
    assert versions["etcd"] == "v3.6.4"


def test_programs_of_one_manager_are_built_only_for_it() -> None:
    only = catalogue.load(SOURCE, "ocm")
    assert set(only.versions) == {"placement", "work-manager"}
    assert set(only.crds) == {"manifestworkreplicasets", "placements", "placementdecisions", "addonplacementscores"}
    assert not only.crds.keys() & catalogue.load(SOURCE).crds.keys()
    assert catalogue.load(SOURCE, "none").groups == {}


def test_versions_are_those_of_go_mod() -> None:
    every = {**catalogue.load(SOURCE).groups, **catalogue.load(SOURCE, "ocm").groups}
    for name, group in every.items():
        text = (SOURCE / name / "go.mod").read_text()
        for module in group.modules.values():
            assert re.search(rf"^\s*{re.escape(module.module)} {re.escape(module.version)}\b", text, re.MULTILINE)


@pytest.mark.parametrize("text", ["groups: [", "go_wheel: 1.26.6\ngroups: {}\ncrds: {}\nextra: 1\n"])
def test_a_wrong_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "versions.yaml").write_text(text)
    with pytest.raises(ToolchainError, match=r"versions\.yaml"):
        catalogue.load(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=r"versions\.yaml.*cannot be read"):
        catalogue.load(tmp_path)
