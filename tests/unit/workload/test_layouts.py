"""Policies and objects: golden manifests, selection, names."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fleet.managers.kubestellar.manager import MANAGER
from fleet.model.experiment_file import Layout, Workload, WorkloadKind
from fleet.model.run_names import RunNames, trial_id
from fleet.workload.content import Plain
from fleet.workload.layouts import policies
from fleet.workload.objects import objects

GOLDEN = Path(__file__).parents[2] / "golden" / "workload"
NAMES = RunNames("20261122T170000Z-0a1b2c3d")
WECS = ("wec002", "wec001")


@pytest.mark.parametrize("kind", ["deployment", "pod", "configmap"])
@pytest.mark.parametrize("layout", ["one-to-one", "one-to-many"])
def test_manifests_are_as_recorded(layout: Layout, kind: WorkloadKind) -> None:
    made = policies(layout, WECS, resources=Plain(Workload(kind=kind)).resources, names=NAMES, group=3)
    first = objects(made[0], Plain(Workload(kind=kind)), 2, manager=MANAGER, names=NAMES, trial=trial_id(7))
    writes = [*(write for policy in made for write in MANAGER.policies(policy)), *(item.write for item in first)]
    documents = [write.body for write in writes]

    text = yaml.safe_dump_all(documents, sort_keys=False)

    assert text == (GOLDEN / f"{layout}-{kind}.yaml").read_text()


def test_one_to_one_makes_a_policy_per_wec_in_the_order_of_names() -> None:
    made = policies("one-to-one", WECS, resources=Plain(Workload(kind="deployment")).resources, names=NAMES, group=0)
    assert [(entry.name, entry.clusters) for entry in made] == [
        ("f0a1b2c3d-g00-wec001", ("wec001",)),
        ("f0a1b2c3d-g00-wec002", ("wec002",)),
    ]


def test_one_to_many_makes_one_policy() -> None:
    (made,) = policies(
        "one-to-many", WECS, resources=Plain(Workload(kind="deployment")).resources, names=NAMES, group=0
    )
    assert (made.name, made.clusters) == ("f0a1b2c3d-g00-all", ("wec001", "wec002"))


def test_the_longest_names_fit_into_a_label_value() -> None:
    (made,) = policies(
        "one-to-one", ("w" * 40,), resources=Plain(Workload(kind="pod")).resources, names=NAMES, group=99
    )
    (item,) = objects(made, Plain(Workload(kind="pod")), 1, manager=MANAGER, names=NAMES, trial=trial_id(999))
    assert len(made.name) <= 63
    assert len(item.ref.name) <= 63


def test_names_and_ops_differ_between_trials_and_objects() -> None:
    made = policies("one-to-one", WECS, resources=Plain(Workload(kind="configmap")).resources, names=NAMES, group=0)
    content = Plain(Workload(kind="configmap"))
    all_objects = [
        item
        for trial in ("t000", "t001")
        for policy in made
        for item in objects(policy, content, 3, manager=MANAGER, names=NAMES, trial=trial)
    ]
    assert len({item.ref.name for item in all_objects}) == 12
    assert len({item.op for item in all_objects}) == 12


@pytest.mark.parametrize(
    ("kind", "clusters", "expected"),
    [
        ("deployment", 1, "copy"),
        ("deployment", 2, "aggregate"),
        ("pod", 1, "copy"),
        ("pod", 2, "report"),
        ("configmap", 1, "none"),
        ("configmap", 2, "none"),
    ],
)
def test_how_the_status_returns(kind: WorkloadKind, clusters: int, expected: str) -> None:
    assert MANAGER.status_return(Plain(Workload(kind=kind)).resources[0], clusters) == expected
