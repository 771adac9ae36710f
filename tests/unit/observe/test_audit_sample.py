from __future__ import annotations

import json
from pathlib import Path

from fleet.host.audit import LOG
from fleet.observe.audit_sample import AuditSample
from fleet.results.events import ObjectRef, WorkloadSeen
from tests.unit.report.made import fleet_file


def line(name: str, **more: object) -> str:
    """As kube-apiserver 1.34 writes it."""
    about = {"resource": "deployments", "namespace": "run", "name": name, "apiGroup": "apps", "apiVersion": "v1"}
    event = {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete",
        "verb": "create", "objectRef": about, "responseStatus": {"metadata": {}, "code": 201},
        "requestReceivedTimestamp": "2026-11-29T00:00:00.000001Z", "stageTimestamp": "2026-11-29T00:00:01.250000Z",
    }  # fmt: skip
    return json.dumps({**event, **more}) + "\n"


async def test_writes_of_what_was_seen_since_the_begin(tmp_path: Path) -> None:
    fleet = fleet_file(2)
    assert AuditSample.of(fleet) is None
    machine = fleet.machines[0].model_copy(update={"state_dir": str(tmp_path)})
    fleet = fleet.model_copy(update={"machines": [machine], "variables": {"audit": "sample"}})
    log = tmp_path / "clusters" / "wec001" / LOG
    log.parent.mkdir(parents=True)
    log.write_text(line("d1"))
    audit = AuditSample.of(fleet)
    assert audit is not None
    assert audit.unread == ["its1", "wds1", "wec002"]
    ref = ObjectRef("apps", "deployments", "run", "d1")
    audit.note(WorkloadSeen(ns=1, wall=1, cluster="wec001", type="ADDED", uid="u", rv="1", ref=ref, op="o"))
    with log.open("a") as file:
        file.write(line("d2") + line("d1", verb="patch", responseStatus={"code": 200}) + line("d1")[:40])
    (found,) = await audit.lines()
    assert (found.cluster, found.verb, found.ref, found.code) == ("wec001", "patch", ref, 200)
    assert (found.wall, found.wall - found.received_wall) == (1795910401_250000000, 1_249_999_000)
