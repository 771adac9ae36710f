"""KubeStellar's aggregate, worked out by hand from its rule."""

from __future__ import annotations

from typing import Any

from fleet.analysis.aggregate import aggregate, normal, normal_digest, part
from fleet.analysis.hop_table import HopTable
from fleet.managers.kubestellar.record import RECORD
from fleet.model.manager_record import Aggregation, StatusContract

RULES = HopTable(RECORD).aggregations


def combined(resource: str, *statuses: dict[str, Any]) -> dict[str, Any]:
    rule = RULES["apps", resource]
    return aggregate(rule, [part(rule, status) for status in statuses])


def test_the_smallest_of_those_that_are_there_and_the_largest_of_the_bad() -> None:
    status = combined(
        "deployments",
        {"replicas": 3, "readyReplicas": 3, "observedGeneration": 2, "unavailableReplicas": 1},
        {"replicas": 2, "observedGeneration": 1, "unavailableReplicas": 2},
    )
    # readyReplicas: the second does not report it, so it does not pull the first's 3 down
    assert status == {
        "replicas": 2, "updatedReplicas": 0, "availableReplicas": 0, "readyReplicas": 3, "observedGeneration": 1,
        "unavailableReplicas": 2, "conditions": [],
    }  # fmt: skip


def test_what_an_api_server_shows_of_it() -> None:
    status = combined("deployments", {"replicas": 1, "readyReplicas": 1}, {"replicas": 1, "readyReplicas": 1})
    assert normal(status) == {"replicas": 1, "readyReplicas": 1}
    assert normal_digest(status) == normal_digest({"readyReplicas": 1, "replicas": 1})
    assert normal_digest(status) != normal_digest({"readyReplicas": 1, "replicas": 2})


def test_only_the_failing_condition_is_kept() -> None:
    fine = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    assert combined("deployments", {"conditions": [fine]}, {"conditions": [fine, late]})["conditions"] == [late]
    assert combined("deployments", {"conditions": [fine]}, {"conditions": "odd"})["conditions"] == []
    failed = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
    assert combined("replicasets", {"conditions": [fine]}, {"conditions": [failed]})["conditions"] == [failed]


def test_daemon_sets_have_no_conditions() -> None:
    status = combined("daemonsets", {"numberReady": 2, "numberMisscheduled": 0}, {"numberReady": 1})
    assert "conditions" not in status
    assert (status["numberReady"], status["numberMisscheduled"]) == (1, 0)


def test_what_is_no_whole_number_is_not_counted() -> None:
    assert combined("deployments", {"replicas": True}, {"replicas": "3"}, {"replicas": 4})["replicas"] == 4


def test_kinds() -> None:
    assert ("apps", "deployments") in RULES
    assert ("", "pods") not in RULES
    assert normal(None) == {}


def test_sums_count_every_wec_that_has_the_counter_and_leave_out_what_is_the_sources_own() -> None:
    rule = Aggregation(group="apps", resource="deployments", summed=("replicas", "readyReplicas"), own=("observed",))
    parts = [part(rule, {"replicas": 2, "readyReplicas": 1, "observed": 7}), part(rule, {"replicas": 3})]
    assert aggregate(rule, parts) == {"replicas": 5, "readyReplicas": 1}
    assert aggregate(rule, parts[:1]) == {"replicas": 2, "readyReplicas": 1}
    shown = {"replicas": 5, "readyReplicas": 1, "unavailable": 0, "observed": 9}
    assert normal_digest(shown, rule.own) == normal_digest(aggregate(rule, parts))
    assert normal_digest(shown) != normal_digest(aggregate(rule, parts))


def test_one_wecs_status_is_copied_unless_the_manager_aggregates_it_too() -> None:
    rule = Aggregation(group="apps", resource="deployments")
    for always, mode in ((False, "copy"), (True, "aggregate")):
        contract = StatusContract(summary="", aggregations=(rule,), aggregates_one=always)
        table = HopTable(RECORD.model_copy(update={"status": contract}))
        assert table.mode("aggregate", "apps", "deployments", 1) == mode
        assert table.mode("aggregate", "apps", "deployments", 2) == "aggregate"
