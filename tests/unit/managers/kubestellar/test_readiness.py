"""CRDs are read and waited for; a program is ready when its newest start says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.errors import DeadlineError, ToolchainError
from fleet.install.crds import packaged_crd, read_crds, wait_established
from fleet.install.upstream import UpstreamFolders
from fleet.kube.client import KubeClient
from fleet.kube.conditions import condition_of
from fleet.kube.resources import CRDS
from fleet.managers.kubestellar.ready import CONTROLLER_MARK, START_MARK, says
from fleet.testing.api_server.server import FakeApiServer

START = f"I0101 main.go:1] {START_MARK} name=x\n"
WORKS = f"I0101 c.go:1] {CONTROLLER_MARK}\n"


@pytest.mark.parametrize(
    ("text", "ready"),
    [
        ("", False),
        (START, False),
        (START + WORKS, False),
        (START + START + WORKS + WORKS, True),
        (START + WORKS + WORKS + START, False),
        (START + WORKS + WORKS + START + WORKS, False),
        ("busy for days\n", False),
    ],
)
def test_only_the_newest_start_counts(tmp_path: Path, text: str, ready: bool) -> None:
    log = tmp_path / "x.log"
    log.write_text(text, encoding="utf-8")
    assert says(log, CONTROLLER_MARK, 2) is ready


def test_a_log_that_was_rotated_belongs_to_a_program_that_runs(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("busy for days\n", encoding="utf-8")
    log.with_name("x.log.1").write_text(START, encoding="utf-8")
    assert says(log, CONTROLLER_MARK, 2)
    assert not says(tmp_path / "absent.log", CONTROLLER_MARK, 2)


def test_our_own_crd_demands_what_kubestellar_panics_without() -> None:
    crd = packaged_crd("fleet.managers.kubestellar", "workstatuses")
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert crd["metadata"]["name"] == "workstatuses.control.kubestellar.io"
    assert schema["required"] == ["spec"]
    source = schema["properties"]["spec"]["properties"]["sourceRef"]
    assert sorted(source["required"]) == ["group", "kind", "name", "namespace", "resource", "version"]
    assert schema["properties"]["status"]["x-kubernetes-preserve-unknown-fields"] is True
    assert crd["spec"]["versions"][0]["subresources"] == {"status": {}}


def test_crds_lose_what_the_server_does_not_keep(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(
        "---\nkind: CustomResourceDefinition\nmetadata: {name: x, creationTimestamp: null}\n"
        "spec: {preserveUnknownFields: false, group: g}\nstatus: {storedVersions: [v1]}\n---\n",
        encoding="utf-8",
    )
    expected = {"kind": "CustomResourceDefinition", "metadata": {"name": "x"}, "spec": {"group": "g"}}
    assert read_crds([file]) == [expected]


@pytest.mark.parametrize("text", ["kind: ConfigMap\n", "{{ template }}: [", ""])
def test_a_file_without_a_crd_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ToolchainError, match="build the toolchain again"):
        read_crds([file])


async def test_a_crd_that_is_never_served_is_named(server: FakeApiServer, hub: KubeClient) -> None:
    server.store.create(CRDS, packaged_crd("fleet.managers.kubestellar", "workstatuses"))
    with pytest.raises(DeadlineError, match="absent"):
        await wait_established(hub, ["absent"], seconds=0)
    stored = server.store.get(CRDS, "workstatuses.control.kubestellar.io")
    assert condition_of(stored, "Established") != "False"


def test_a_missing_program_or_crd_is_named(tmp_path: Path) -> None:
    folder = UpstreamFolders((tmp_path / "bin",))
    with pytest.raises(ToolchainError, match="registration"):
        folder.program("registration")
    with pytest.raises(ToolchainError, match=r"managedclusters\.yaml"):
        folder.crd("managedclusters")
    assert UpstreamFolders((tmp_path,), check=True).program("x") == tmp_path / "x"
