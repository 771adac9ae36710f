"""What `during` may say of a fleet, and where each step aims."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.errors import SpecError
from fleet.experiments.wec_scaling import WecScaling
from fleet.faults.fault import Aim
from fleet.faults.registry import planned
from fleet.model.duration import written
from fleet.model.during import DuringStep
from fleet.model.fleet_file import FleetFile
from fleet.model.model_errors import validate
from tests.unit.faults.plain import PLAIN

TRIALS = ("t000", "t001")


def step(**fields: Any) -> DuringStep:
    return DuringStep.model_validate({"at": "10s", "action": "stop", "target": "its1", **fields})


def aims(steps: list[DuringStep], fleet: FleetFile, trials: tuple[str, ...]) -> list[Aim]:
    return [aim for one in planned(steps, fleet, trials, PLAIN) for aim in one.aims]


def test_a_control_plane_takes_all_that_runs_at_it_with_it(fleet: FleetFile) -> None:
    (aim,) = aims([step(**{"for": "30s"})], fleet, TRIALS)
    assert (aim.planes, aim.parts, aim.machine, aim.clusters) == (["its1"], [], "local", ["its1"])
    assert aim.programs == ["etcd.its1", "kube-apiserver.its1", "registration.its1"]
    assert aim.repair == "fleet cluster start its1 --fleet demo"


@pytest.mark.parametrize(
    ("target", "clusters"),
    [("transport.wds1", []), ("etcd.its1", ["its1"]), ("kwok.wec001", []), ("dense.0", ["wec001", "wec002"]),
     ("etcd.dense-0", ["wec001", "wec002"])],
)  # fmt: skip
def test_a_program_takes_the_control_planes_that_it_serves(target: str, clusters: list[str], fleet: FleetFile) -> None:
    (aim,) = aims([step(target=target)], fleet, TRIALS)
    assert (aim.parts, aim.planes, aim.programs, aim.clusters) == ([target], [], [target], clusters)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"target": "its2"}, r"during\.0\.target: .* no control plane or program 'its2'; did you mean `its1`"),
        ({"target": "transport.wds2"}, r"during\.0\.target: .*did you mean `transport.wds1`"),
        ({"action": "stpo"}, r"during\.0\.action: 'stpo' is no action; did you mean `stop`"),
        ({"trial": "t007"}, r"during\.0\.trial: t007 is no trial of this run, which has t000 to t001"),
    ],
)  # fmt: skip
def test_what_there_is_not_is_named_with_what_there_is(fields: dict[str, Any], words: str, fleet: FleetFile) -> None:
    with pytest.raises(SpecError, match=words):
        aims([step(**fields)], fleet, TRIALS)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ({"for": "30s"}, {"at": "39s"}, True),
        ({"for": "30s"}, {"at": "40s"}, False),
        ({}, {"at": "40s"}, True),
        ({"at": "40s"}, {"at": "5s", "for": "1s"}, False),
        ({"trial": "t000"}, {"trial": "t001"}, False),
        ({"trial": "t000"}, {}, True),
        ({}, {"target": "wds1"}, False),
    ],
)
def test_two_at_once_on_one_target_are_refused(
    one: dict[str, Any], other: dict[str, Any], meet: bool, fleet: FleetFile
) -> None:
    both = [step(**one), step(**other)]
    if meet:
        with pytest.raises(SpecError, match=r"during\.1\.at: its1 would still be held by during\.0"):
            aims(both, fleet, TRIALS)
    else:
        assert len(aims(both, fleet, TRIALS)) == 2


def test_a_control_plane_that_somebody_else_built_is_not_stopped(fleet: FleetFile) -> None:
    foreign = fleet.clusters[0].model_copy(update={"driver": "existing"})
    with pytest.raises(SpecError, match="its1 was not built by this testbed"):
        aims([step()], fleet.model_copy(update={"clusters": [foreign]}), TRIALS)


def test_the_file_is_written_as_it_was_read() -> None:
    entries = [{"at": "10s", "action": "stop", "target": "its1", "for": "30s"},
               {"at": "0s", "action": "stop", "target": "wds1", "trial": "t001"}]  # fmt: skip
    spec = WecScaling.model_validate({"experiment": "wec-scaling", "during": entries})
    assert written(spec)["during"] == entries
    assert WecScaling.model_validate(spec.model_dump()) == spec
    assert WecScaling.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"at": "-1s", "action": "stop", "target": "x"}, r"during\.0\.at: '-1s' is not a duration"),
        ({"at": "10s", "action": "stop", "target": "x", "for": "0s"}, r"during\.0\.for: .*greater than 0"),
        ({"at": "10s", "action": "stop"}, r"during\.0\.target: is missing"),
        ({"at": "1s", "action": "stop", "target": "x", "fro": "1s"}, r"during\.0\.fro: .*; did you mean `for`"),
        ({"at": "10s", "action": "stop", "target": "x", "trial": "first"}, r"during\.0\.trial: "),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_file_is_named(entry: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        validate(WecScaling, {"experiment": "wec-scaling", "during": [entry]}, lambda _path: (None, None))


def test_a_step_without_a_trial_is_for_those_that_count() -> None:
    assert step().applies("t001", counted=True)
    assert not step().applies("t000", counted=False)
    assert step(trial="t000").applies("t000", counted=False)
    assert not step(trial="t000").applies("t001", counted=True)
