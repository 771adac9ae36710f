"""The file, the pods of each load, and the configuration of a scheduler."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fleet.experiments.scheduler_throughput import objects
from fleet.experiments.scheduler_throughput.objects import APPLICATION, Setting
from fleet.experiments.scheduler_throughput.program import configuration
from fleet.experiments.scheduler_throughput.spec import LOADS, Scheduler, SchedulerThroughput

SETTING = Setting("n", {"run": "r"}, "t000", "fleet-default", ["a", "b", "c"], ["low", "high"])


def spec(**fields: Any) -> SchedulerThroughput:
    return SchedulerThroughput.model_validate({"experiment": "scheduler-throughput"} | fields)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"schedulers": [{"name": "x", "binary": "/x"}]}, "x: a program of your own needs both `binary` and `sha256`"),
        ({"schedulers": [{"name": "x", "arguments": ["--x"]}]}, "x: `arguments` are for a program of your own"),
        ({"schedulers": [{"name": "x", "profile": {"schedulerName": "y"}}]}, "write `scheduler_name` instead"),
        ({"schedulers": [{"name": "x", "configuration": {"profiles": []}}]}, "profiles is written by this experiment"),
        ({"schedulers": [{"name": "x", "scheduler_name": "default-scheduler"}]}, "the WEC's own scheduler takes pods"),
        ({"schedulers": [{"name": "x"}, {"name": "x"}]}, "two schedulers have the name 'x'"),
        ({"schedulers": [{"name": "x"}, {"name": "y", "scheduler_name": "fleet-x"}]}, "have the name 'fleet-x'"),
        ({"loads": ["taints", "taints"]}, "each load once"),
        ({"by": "deployment"}, "by: the load taints has no two pods alike"),
        ({"pods": 20}, "pods: 20 are fewer than the 25 groups of a load"),
    ],
)
def test_what_a_file_cannot_say(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        spec(**fields)
    assert said in str(caught.value)


def test_every_load_has_its_pods_under_one_scheduler_and_the_same_in_each_trial() -> None:
    for load in LOADS:
        made = objects.pods(load, 100, SETTING)
        assert [body["metadata"]["name"] for body in made] == [f"t000-{n:06d}" for n in range(100)]
        assert {body["spec"]["schedulerName"] for body in made} == {"fleet-default"}
        other = objects.pods(load, 100, replace(SETTING, scheduler="fleet-raised"))
        assert [body["spec"] | {"schedulerName": ""} for body in other] == [
            body["spec"] | {"schedulerName": ""} for body in made
        ]


def test_groups_are_equal() -> None:
    for load, groups in (("one-group", 1), ("five-groups", 5), ("twenty-five-groups", 25)):
        made = objects.pods(load, 100, SETTING)  # type: ignore[arg-type]
        sizes = Counter(body["metadata"]["labels"][APPLICATION] for body in made)
        assert set(sizes.values()) == {100 // groups}
        replicas = [body["spec"]["replicas"] for body in objects.deployments(load, 102, SETTING)]  # type: ignore[arg-type]
        assert (len(replicas), sum(replicas), max(replicas) - min(replicas) <= 1) == (groups, 102, True)


def test_taints_fit_one_node_each_and_nodes_are_dealt_evenly() -> None:
    keys = [body["spec"]["tolerations"][0]["key"] for body in objects.pods("taints", 100, SETTING)]
    assert sorted(Counter(keys).values()) == [33, 33, 34]
    assert set(keys) == {objects.taint(number)["key"] for number in range(3)}
    assert objects.without([objects.taint(0), {"key": "other"}]) == [{"key": "other"}]


def test_affinities_are_upstreams_with_those_that_must_first() -> None:
    made = [body["spec"]["affinity"] for body in objects.pods("affinity", 100, SETTING)]
    required, preferred = (
        "requiredDuringSchedulingIgnoredDuringExecution",
        "preferredDuringSchedulingIgnoredDuringExecution",
    )
    kinds = [next(iter(next(iter(one.values())))) if "nodeAffinity" in one else "pods" for one in made]
    assert kinds == [required] * 25 + [preferred] * 25 + ["pods"] * 50
    operators = [
        one["nodeAffinity"][required]["nodeSelectorTerms"][0]["matchExpressions"][0]["operator"] for one in made[:25]
    ]
    assert operators == ["In"] * 12 + ["NotIn"] * 13, "nodes that must be had are filled by nobody before"
    terms = made[0]["nodeAffinity"][required]["nodeSelectorTerms"][0]["matchExpressions"][0]
    assert (terms["key"], terms["operator"]) == ("kubernetes.io/hostname", "In")
    assert set(terms["values"]) <= {"a", "b", "c"}


def test_the_configuration_of_a_scheduler() -> None:
    packs = Scheduler(
        name="x", qps=7, burst=9, profile={"percentageOfNodesToScore": 50}, configuration={"parallelism": 2}
    )
    made = configuration(packs, Path("/k"))
    assert made["clientConnection"] == {"kubeconfig": "/k", "qps": 7.0, "burst": 9}
    assert made["profiles"] == [{"schedulerName": "fleet-x", "percentageOfNodesToScore": 50}]
    assert made["leaderElection"] == {"leaderElect": False}
    assert made["parallelism"] == 2
