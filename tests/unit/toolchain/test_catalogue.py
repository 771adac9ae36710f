"""`versions.yaml` of this checkout agrees with the go.mod and lock files, and errors name the file."""

import re
import shutil
from pathlib import Path

import pytest

from fleet.errors import ToolchainError, UsageError
from fleet.managers.installer import installer, known
from fleet.managers.karmada.hub import CRD_FILE as KARMADA_BEGINS
from fleet.managers.karmada.hub_objects import CRDS as KARMADA
from fleet.managers.kubefleet.hub import CRDS as KUBEFLEET
from fleet.managers.kubefleet.membership import CRD_FILE as KUBEFLEET_BEGINS
from fleet.model.variables import Variables
from fleet.platforms.karpenter.names import CRD_FILES as KARPENTER
from fleet.platforms.kyverno import names
from fleet.toolchain import catalogue, digest, needs_of
from fleet.toolchain.golang import Go

SOURCE = Path(__file__).parents[3] / "toolchain"
PROGRAMS = {
    "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "dense", "kwok", "kwokctl", "registration",
    "work", "registration-operator", "kubestellar-controller-manager", "ocm-transport-controller",
    "kind", "fleet-runc", "fleet-link", "fleet-loadgen", "placement", "work-manager", "hollow", "karmada-agent",
    "karmada-aggregated-apiserver", "karmada-controller-manager", "karmada-scheduler", "karmada-webhook",
    "kubefleet-hub-agent", "kubefleet-member-agent", "fleet-member", "kwok-host", "ocm-host",
    "virt-operator", "virt-api", "virt-controller", "perfscale-audit", "kubevirt-objects", "karpenter", "kueue",
    "kyverno-admission-controller", "kyverno-background-controller", "kyverno-reports-controller", "kyverno-init",
    "metrics-server", "headlamp-page", "headlamp-node",
}  # fmt: skip


def test_every_program_has_a_version() -> None:
    versions = catalogue.every(SOURCE).versions
    assert set(versions) == PROGRAMS
    assert versions["dense"] == "v1.34.4"
    assert versions["etcd"] == "v3.6.4"
    assert (versions["karmada-agent"], versions["kubefleet-member-agent"]) == ("v1.16.0", "v0.14.0")


def test_the_files_that_a_hub_reads_are_there() -> None:
    for manager, begins, plurals in (("karmada", KARMADA_BEGINS, KARMADA), ("kubefleet", KUBEFLEET_BEGINS, KUBEFLEET)):
        crds = catalogue.load(SOURCE, [f"manager:{manager}"]).crds.keys()
        assert {f"{begins}{plural}" for plural in plurals} == {name for name in crds if name.startswith(begins)}


def test_a_group_is_built_only_for_what_needs_it() -> None:
    everybody, ocm = catalogue.load(SOURCE), catalogue.load(SOURCE, ["manager:ocm", "driver:dense"])
    assert set(everybody.groups) == {"controlplane", "link"}
    assert set(ocm.groups) - set(everybody.groups) == {"ocm-hub"}
    assert set(ocm.versions) - set(everybody.versions) == {"placement", "work-manager"}
    assert ocm.crds.keys() - everybody.crds.keys() == {
        "manifestworkreplicasets", "placements", "placementdecisions", "addonplacementscores",
    }  # fmt: skip
    assert catalogue.load(SOURCE, ["manager:none"]) == everybody
    kubevirt = catalogue.load(SOURCE, ["platform:kubevirt"])
    assert set(kubevirt.groups) - set(everybody.groups) == {"kubevirt", "kwok"}  # kwok plays its VMIs
    karpenter = catalogue.load(SOURCE, ["platform:karpenter"])
    assert set(karpenter.groups) - set(everybody.groups) == {"karpenter", "kwok"}  # kwok plays the nodes that it makes
    assert set(KARPENTER) == {name for name in karpenter.crds if name.startswith("karpenter-")}
    kyverno = catalogue.load(SOURCE, ["platform:kyverno"])
    assert set(kyverno.groups) - set(everybody.groups) == {"kyverno"}
    assert kyverno.crds.keys() - everybody.crds.keys() == {names.MANIFEST}


def test_a_group_of_npm_is_named_by_its_sources_and_not_by_go(tmp_path: Path) -> None:
    only = catalogue.named(SOURCE, ["headlamp"])
    shutil.copytree(SOURCE / "headlamp", tmp_path / "headlamp")
    go = Go(None, "1.26.6", "amd64")
    before = digest.of_groups(tmp_path, only, go)
    assert digest.of_groups(tmp_path, only, Go(None, "1.30.0", "arm64")) == before
    other = only.model_copy(update={"groups": {"headlamp": only.groups["headlamp"].model_copy(update={"npm": "x"})}})
    (tmp_path / "headlamp" / "README.md").write_text("not built from\n")
    assert digest.of_groups(tmp_path, only, go) == before != digest.of_groups(tmp_path, other, go)
    (tmp_path / "headlamp" / "client" / "page.jsx").write_text("changed\n")
    assert digest.of_groups(tmp_path, only, go) != before


def test_a_lock_file_names_no_registry() -> None:
    text = (SOURCE / "headlamp" / "package-lock.json").read_text()
    assert '"resolved"' not in text
    assert '"integrity"' in text


def test_another_version_stands_for_the_pinned_one() -> None:
    given = Variables.model_validate({"manager": "ocm", "manager_version": "v1.0.0"})
    pinned, other = catalogue.load(SOURCE, ["manager:ocm"]), catalogue.load(SOURCE, needs_of(given))
    assert set(pinned.groups) - set(other.groups) == {"ocm-hub"}
    assert {name for name, version in other.versions.items() if version == "v1.0.0"} == {
        "registration", "placement", "work-manager"
    }  # fmt: skip
    assert other.versions["registration-operator"] == "v1.2.0", "agents stay as they are"
    assert other.definitions("ocm-hub-1.0").keys() == pinned.definitions("ocm-hub").keys()
    assert catalogue.every(SOURCE).versions["registration"] == "v1.2.0"


def test_versions_of_a_manager_are_those_that_groups_are_for() -> None:
    needs = {need for group in catalogue.every(SOURCE).groups.values() for need in group.needed_by if "@" in need}
    versions = {f"manager:{name}@{version}" for name in known() for version in installer(name).versions}
    assert needs == versions
    for name in known():
        for version in installer(name).versions[:1]:
            pinned = catalogue.load(SOURCE, [f"manager:{name}"])
            assert pinned == catalogue.load(SOURCE, [f"manager:{name}@{version}"])


def test_a_fleet_needs_what_its_variables_name() -> None:
    assert needs_of(Variables()) == {"manager:kubestellar", "simulator:kwok", "driver:dense", "driver:process"}
    given = Variables.model_validate({"manager": "none", "node_simulator": "none", "control_plane_driver": "kind"})
    assert set(catalogue.load(SOURCE, needs_of(given)).groups) == {"controlplane", "link", "kind"}


def test_a_name_that_there_is_not_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"--for manager:ocn: .*did you mean manager:ocm\?"):
        catalogue.check_needs(SOURCE, ["driver:kind", "manager:ocn"])
    with pytest.raises(UsageError, match=r"--group kubestelar: .*did you mean kubestellar\?"):
        catalogue.named(SOURCE, ["kubestelar"])
    only = catalogue.named(SOURCE, ["kubestellar"])
    assert (set(only.groups), set(only.crds)) == ({"kubestellar"}, {"controlplanes"})


def test_a_need_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    text = (SOURCE / "versions.yaml").read_text().replace("[driver:kind]", "[drivers:kind]")
    (tmp_path / "versions.yaml").write_text(text)
    with pytest.raises(ToolchainError, match=r"groups\.kind\.for\.0"):
        catalogue.every(tmp_path)


def test_versions_are_those_of_go_mod() -> None:
    for name, group in catalogue.every(SOURCE).groups.items():
        if group.npm:
            continue
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
