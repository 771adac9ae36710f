"""Marks of NodeClaims and pods, and how full nodes are by them."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.analysis.join import Join
from fleet.analysis.program_table import HEAP
from fleet.analysis.recorded import Recorded
from fleet.experiments.karpenter_scale import marks, objects, packing, series
from fleet.experiments.karpenter_scale.decisions import decision_series
from fleet.experiments.karpenter_scale.outcome import Judged, Phase, Taken
from fleet.experiments.karpenter_scale.scenarios import SCENARIOS, Asserted
from fleet.model.manager_record import ManagerRecord
from fleet.results.events import MarkSeen, MetricSample


def condition(kind: str, reason: str = "") -> dict[str, str]:
    return {"type": kind, "status": "True", "reason": reason}


def test_marks_of_a_node_claim() -> None:
    status: dict[str, Any] = {"allocatable": {"cpu": "15900m", "memory": "32Gi"}, "nodeName": "n",
                              "conditions": [condition("Launched"), condition("Registered"),
                                             {"type": "Initialized", "status": "Unknown"}]}  # fmt: skip
    claim = {"metadata": {}, "status": status}
    assert list(marks.of_claim(claim)) == [("sized", [15.9, 32768.0]), "launched", ("registered", "n")]
    status["conditions"] = [condition("Drifted"), condition("DisruptionReason", "Underutilized")]
    going = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "status": status}
    assert list(marks.of_claim(going))[1:] == ["drifted", ("disrupted", "Underutilized"), "deleting"]
    assert list(marks.of_claim({"metadata": {}})) == []


def test_marks_of_a_pod() -> None:
    small, _ = SCENARIOS["basic"].loads
    spec = objects.deployment("t000-small", small, {})["spec"]["template"]["spec"]
    assert list(marks.of_pod({"metadata": {}, "spec": spec})) == [("sized", [0.9, 3100.0])]
    running = {"metadata": {}, "spec": {**spec, "nodeName": "n"}, "status": {"phase": "Running"}}
    assert list(marks.of_pod(running))[1:] == [("bound", "n"), "running"]


def test_what_deployments_demand_of_nodes_is_in_their_pods() -> None:
    wide = {load.name: objects.deployment(load.name, load, {})["spec"]["template"] for load in SCENARIOS["wide"].loads}
    assert "affinity" in wide["wide-01"]["spec"]
    keys = [one["topologyKey"] for one in wide["wide-04"]["spec"]["topologySpreadConstraints"]]
    assert keys == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    (protected,) = [load for load in SCENARIOS["do-not-disrupt"].loads if load.protected]
    template = objects.deployment("p", protected, {})["spec"]["template"]
    assert template["metadata"]["annotations"] == {"karpenter.sh/do-not-disrupt": "true"}


def seen(ns: int, resource: str, uid: str, mark: str, data: Any = None) -> MarkSeen:
    return MarkSeen(ns=ns, wall=0, cluster="wec001", type="MODIFIED", uid=uid, rv="1", listed=False, gap=False,
                    trial="t000", resource=resource, namespace="", name=uid, mark=mark, data=data)  # fmt: skip


def test_nodes_fill_and_empty() -> None:
    recorded = Recorded(Join(ManagerRecord(name="none"), source="", object_timeout=None))
    for one in (
        seen(1, marks.CLAIM, "c1", "sized", [4.0, 1000.0]),
        seen(2, marks.CLAIM, "c1", "registered", "n1"),
        seen(3, marks.POD, "p1", "sized", [1.0, 500.0]),
        seen(4, marks.POD, "p1", "bound", "n1"),
        seen(5, marks.CLAIM, "c2", "sized", [12.0, 3000.0]),
        seen(6, marks.CLAIM, "c2", "registered", "n2"),
        seen(7, marks.POD, "p1", "deleted"),
        seen(8, marks.CLAIM, "c1", "deleted"),
    ):
        recorded.add(one)
    found = packing.levels(recorded, "t000")
    assert [(level.ns, level.nodes) for level in found] == [(2, 1), (4, 1), (6, 2), (7, 2), (8, 1)]
    both = packing.at(found, 6)
    assert both is not None
    shares = [both.cpu, both.memory, both.node_cpu, both.node_memory]
    assert shares == pytest.approx([1 / 16, 500 / 4000, 1 / 8, 1 / 4])
    assert packing.at(found, 1) is None
    assert found[-1].cpu == 0.0


def test_a_node_is_there_when_it_has_a_pod() -> None:
    recorded = Recorded(Join(ManagerRecord(name="none"), source="", object_timeout=None))
    for one in (
        seen(1, marks.CLAIM, "c1", "sized", [4.0, 1000.0]),
        seen(2, marks.POD, "p1", "sized", [1.0, 500.0]),
        seen(3, marks.POD, "p1", "bound", "n1"),
        seen(4, marks.CLAIM, "c1", "registered", "n1"),  # its watch is behind
    ):
        recorded.add(one)
    last = packing.levels(recorded, "t000")[-1]
    assert (last.ns, last.nodes, last.cpu) == (3, 1, 0.25)


def metric(ns: int, name: str, value: float, labels: str = "") -> MetricSample:
    return MetricSample(ns=ns, wall=0, component="karpenter", cluster="wec001", name=name, labels=labels, value=value)


def test_decisions_are_counted_from_the_begin_of_the_run() -> None:
    found = decision_series(
        [
            metric(10**9, HEAP, 1.0),
            metric(10**9, series.CREATED, 7.0, "reason=provisioned"),
            metric(3 * 10**9, series.CREATED, 9.0, "reason=provisioned"),
            metric(4 * 10**9, series.DISRUPTED, 2.0, "reason=empty"),
        ],
        0,
    )
    assert found == {
        "created, provisioned": [(1.0, 0.0), (1.0, 0.0), (3.0, 2.0)],
        "disrupted, empty": [(1.0, 0.0), (4.0, 2.0)],
    }


def test_a_phase_that_did_not_end_has_no_time_and_keeps_no_limit() -> None:
    phase = Phase("drift_replacement", 0, None, None, Taken(None, None), Asserted(seconds=3000))
    found = Judged(phase, "scenario=drift", "time", "s", phase.seconds, "<", 3000)
    assert (found.value, found.holds) == ("not measured", False)
    assert found.assertion.why == "it was not measured"
