"""Without a manager an object is where it was created: it arrives some time after its request, and is ready later."""

from __future__ import annotations

from fleet.analysis.join import Join
from fleet.managers.none.record import RECORD
from fleet.results.events import ObjectRef, Planned, Sent, TrialPlan, WorkloadSeen

MS = 1_000_000
FINAL = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}


def test_the_wec_is_the_source() -> None:
    ref = ObjectRef("apps", "deployments", "ns", "d")
    join = Join(RECORD, source="")
    plan = {"ns": 0, "wall": 0, "trial": "t000"}
    join.feed(TrialPlan(**plan, layout="one-to-one", wecs=1, repeat=0, clusters=["wec1"], kind="deployment"))
    join.feed(Planned(**plan, op="op", policy="p", ref=ref, clusters=["wec1"], status="report", source="wec1"))
    join.feed(Sent(ns=14 * MS, wall=0, op="op", scheduled_ns=0, sent_ns=4 * MS, code=201, uid="u", rv="1"))
    seen = {"wall": 0, "cluster": "wec1", "uid": "u", "ref": ref, "op": "op", "generation": 1, "replicas": 1}
    join.feed(WorkloadSeen(**seen, ns=10 * MS, type="ADDED", rv="1"))
    assert join.progress("t000").total == {"created": 1, "activated": 1, "ready": 1}
    join.feed(WorkloadSeen(**seen, ns=510 * MS, type="MODIFIED", rv="2", status=FINAL))
    assert join.progress("t000").complete
    assert join.whole("op")
    samples = {sample.stage: sample.seconds for sample in join.samples()}
    assert samples == {"downsync": 0.006, "workload": 0.5}
