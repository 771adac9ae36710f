"""MultiKueue: its programs' files, its objects, and what a MultiKueueCluster says of a WEC."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fleet.host.machine import Machine
from fleet.install.objects import Ledger
from fleet.install.program_parts import Extra
from fleet.install.upstream import UpstreamFolders
from fleet.managers.installer import Site
from fleet.managers.multikueue import members, names, objects
from fleet.managers.multikueue.hub import BURST_ENV, QPS_ENV, controller, dispatch
from fleet.managers.multikueue.membership import Member
from fleet.model.client_limits import ClientLimits
from fleet.model.variables import Variables
from fleet.platforms.kueue import names as kueue
from tests.unit.managers.test_installer import UPSTREAM


@pytest.fixture
def site(tmp_path: Path) -> Site:
    machine = Machine("demo", tmp_path / "demo", UPSTREAM)
    variables = Variables.model_validate(
        {"manager": "multikueue", "multikueue_hub_qps": 7, "multikueue_worker_burst": 9}
    )
    return Site(machine, UPSTREAM, variables, "here", ("wec001", "wec002"))


def test_each_program_has_limits_ports_and_files_of_its_own(site: Site) -> None:
    hub, one, two = controller(site), Member(site).worker("wec001"), Member(site).worker("wec002")
    read = [json.loads(kueue.configuration()) for kueue in (hub, one, two)]
    assert [made["clientConnection"] for made in read] == [
        {"qps": 7.0, "burst": 100}, {"qps": 50.0, "burst": 9}, {"qps": 50.0, "burst": 9}
    ]  # fmt: skip
    ports = [
        str(word).rpartition(":")[2]
        for made in read
        for word in (made["webhook"]["port"], made["health"]["healthProbeBindAddress"], made["pprofBindAddress"])
    ]
    assert len(set(ports)) == len(ports) == 9
    assert len({made["webhook"]["certDir"] for made in read}) == 3
    assert (hub.name, one.name) == ("multikueue.multikueue1", "kueue-worker.wec001")
    assert hub.ready_page == f"http://{read[0]['health']['healthProbeBindAddress']}/readyz"


def test_what_is_written_once_is_no_change_again(site: Site) -> None:
    kueue, dry, first, again = Member(site).worker("wec001"), Ledger(check=True), Ledger(), Ledger()
    kueue.write(dry)
    assert not kueue.folder.exists()
    kueue.write(first)
    kueue.write(again)
    assert (dry.change.changed, first.change.changed, again.change.changed) == (True, True, False)
    before = kueue.program(Extra(), 400)
    assert (kueue.folder / "serving" / "tls.crt").exists()
    (kueue.folder / "config.json").write_text("{}\n")
    assert kueue.program(Extra(), 400).env != before.env, "another file starts it again"


def test_definitions_have_one_version_and_the_webhooks_that_kueue_looks_for(tmp_path: Path) -> None:
    (tmp_path / "crds").mkdir()
    for plural in kueue.DEFINITIONS:
        versions = [{"name": "v1beta1", "storage": False}, {"name": "v1beta2", "storage": True}]
        crd = {
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{kueue.GROUP}"},
            "spec": {"names": {"plural": plural}, "versions": versions},
        }
        (tmp_path / "crds" / f"kueue-{plural}.yaml").write_text(json.dumps(crd))
    made = objects.definitions(UpstreamFolders.of([tmp_path / "bin"], check=False), 17_001)
    assert {version["name"] for crd in made for version in crd["spec"]["versions"]} == {"v1beta2"}
    urls = [crd["spec"]["conversion"]["webhook"]["clientConfig"]["url"] for crd in made if "conversion" in crd["spec"]]
    assert urls == ["https://127.0.0.1:17001/convert"] * len(kueue.CONVERTED)


def test_a_queue_names_its_workers_and_its_check() -> None:
    made = {resource.kind: body for resource, body in objects.queue("q", ["wec001", "wec002"], {"run": "r"}, ["ns"])}
    assert made["MultiKueueConfig"]["spec"] == {"clusters": ["wec001", "wec002"]}
    assert made["AdmissionCheck"]["spec"]["parameters"]["name"] == "q"
    checks = made["ClusterQueue"]["spec"]["admissionChecksStrategy"]["admissionChecks"]
    assert checks == [{"name": "q"}]
    assert made["LocalQueue"]["spec"] == {"clusterQueue": "q"}
    assert {body["metadata"]["labels"]["run"] for body in made.values()} == {"r"}
    assert objects.local_queue("q", "ns")["spec"] == {"clusterQueue": names.QUEUE}, (
        "a worker's has its own ClusterQueue"
    )


def test_a_job_says_what_webhooks_would_fill_in() -> None:
    job = objects.job("j", "q", {"run": "r"})
    assert job["metadata"]["labels"] == {"run": "r", names.QUEUE_LABEL: "q"}
    assert (job["spec"]["suspend"], job["spec"]["managedBy"]) == (True, "kueue.x-k8s.io/multikueue")


@pytest.mark.parametrize(
    ("member", "word", "is_member"),
    [
        ({"metadata": {}}, "Pending", False),
        ({"metadata": {}, "status": {"conditions": [{"type": "Active", "status": "False"}]}}, "Lost", False),
        ({"metadata": {}, "status": {"conditions": [{"type": "Active", "status": "True"}]}}, "Active", True),
        ({"metadata": {"deletionTimestamp": "now"}}, "Leaving", False),
    ],
)
def test_how_a_wec_stands(member: dict[str, Any], word: str, is_member: bool) -> None:
    assert members.word(member) == word
    assert (word not in members.PROBLEMS) == is_member


def test_its_defaults_are_those_of_its_distribution() -> None:
    limits = ClientLimits()
    assert (limits.multikueue_hub_qps, limits.multikueue_hub_burst) == (50, 100)
    assert dispatch(limits) == {}, "as upstream made it"
    raised = limits.model_copy(update={"multikueue_dispatch_qps": 1000.0})
    assert dispatch(raised) == {QPS_ENV: "1000", BURST_ENV: "10"}
