"""Loads played on a fake fleet, through the whole frame; what a file may not say."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from fleet.analysis.study import analyse
from fleet.errors import UsageError
from fleet.experiment.progress import Silent
from fleet.experiment.runner import Outcome, Runner, plan
from fleet.experiments import registry
from fleet.experiments.play.actions.registry import ACTIONS
from fleet.experiments.play.experiment import EXPERIMENT
from fleet.experiments.play.spec import FORMS, Play, Step
from fleet.results import events
from fleet.results.folder import RunFolder
from tests.unit.experiment.plain_fleets import OcmFleet
from tests.unit.experiment.stand_in import StandInFleet
from tests.unit.experiment.test_runner import faults, give_service_accounts
from tests.unit.experiments.playing_fleet import PlayingFleet

EXAMPLES = sorted((Path(__file__).parents[3] / "experiments").glob("play*.yaml"))
EVERY = """
- name: web
  create: {kind: deployment, objects: 4, pods: 2}
  load: {globalQPSLoad: {qps: 100}}
- name: data
  create: {kind: configmap, objects: 3}
- parallel:
  - scale: {of: web, to: [3]}
    load: {poissonLoad: {expectedActionsPerSecond: 100}}
  - series:
    - label: {of: data, values: [a, b]}
    - patch: {of: data, bytes: 10, body: {data: {more: x}}}
      load: {globalQPSLoad: {qps: 40}}
      duration: 200ms
- repeat:
    times: 2
    steps:
    - name: batch
      create: {kind: pod, objects: 2, lifetime: 50ms}
    - pause: 10ms
    - delete: {of: batch}
- roll_out: {of: web}
  count: 2
- delete: {of: web}
"""


@pytest.fixture
async def playing(state: Path) -> AsyncIterator[PlayingFleet]:
    async with PlayingFleet(state, 2) as stand_in:
        yield stand_in


def spec(steps: str, **fields: Any) -> Play:
    limits = {"settle": "10s", "object": "5s", "clean": "10s"}
    base = {"experiment": "play", "repeats": 1, "warmup": 0, "timeouts": limits, "steps": yaml.safe_load(steps)}
    return Play.model_validate(base | fields)


async def run(fleet: PlayingFleet, chosen: Play) -> Outcome:
    results = fleet.folder.parent / "results"
    return await Runner(fleet.file(), fleet.folder, EXPERIMENT, chosen, results, progress=Silent()).run()


def requests(outcome: Outcome) -> list[events.Requested]:
    return [line for line in RunFolder.open(outcome.folder).events() if isinstance(line, events.Requested)]


async def test_every_kind_of_action_is_sent_and_its_effect_seen(playing: PlayingFleet) -> None:
    outcome = await run(playing, spec(EVERY, clusters="all", watchers=2))
    study = analyse(RunFolder.open(outcome.folder))
    counts = Counter(one.op for one in requests(outcome) if not one.error)

    assert counts == {"create": 4 + 3 + 2 + 2, "scale": 4, "label": 3, "patch": 9, "roll-out": 2, "delete": 4 + 2 + 2}
    assert [why for why in faults(outcome) if "late (p99" not in why] == []
    rows = {row.stage: row for row in study.rows}
    assert rows["scale-done"].count == 4
    assert rows["roll-out-done"].count == 2
    assert rows["delete-gone"].count == 8
    assert rows["label-seen"].count + rows["patch-seen"].count <= 12
    assert rows["create-ready"].count == 11
    assert all(row.missing == 0 for row in study.rows)
    assert {one.cluster for one in requests(outcome)} == {"wec001", "wec002"}
    (table,) = [table for table in study.own.tables if table.name == "actions"]
    assert {row[0]: row[1] for row in table.rows} == dict(counts)
    received = [line.value for line in RunFolder.open(outcome.folder).events()
                if isinstance(line, events.Measured) and line.name == "lines that watchers received"]  # fmt: skip
    assert len(received) == 2
    assert all(value > 0 and value % 2 == 0 for value in received)
    assert playing.leftovers() == []


async def test_the_same_seed_draws_the_same(playing: PlayingFleet) -> None:
    steps = """
- {name: data, create: {kind: configmap, objects: 6}}
- {label: {of: data, values: [a, b, c, d]}, load: {poissonLoad: {expectedActionsPerSecond: 200}}}
"""
    first, second, other = [
        [(one.op, one.name) for one in requests(await run(playing, spec(steps, seed=seed))) if one.op == "label"]
        for seed in (1, 1, 2)
    ]
    assert first == second
    assert len(first) == 6
    assert first != other


async def test_size_multiplies_counts(playing: PlayingFleet) -> None:
    steps = "[{name: data, create: {kind: configmap, objects: 10}}, {patch: {of: data}, count: 20}]"
    counts = Counter(one.op for one in requests(await run(playing, spec(steps, size=0.5))))
    assert counts == {"create": 5, "patch": 10}


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("[{create: {objects: 1}}]", "create: needs a name"),
        ("[{name: a, create: {objects: 1}, scale: {of: a, to: [1]}}]", "name exactly one of"),
        ("[{}]", "name exactly one of"),
        ("[{scale: {of: a, to: [1]}}]", "no step before creates it"),
        ("[{name: a, create: {}}, {name: a, create: {}}]", "two groups are called a"),
        ("[{name: a, create: {}}, {delete: {of: a}, duration: 5s}]", "duration: needs a load with a rate"),
        ("[{name: a, create: {}}, {delete: {of: a}, count: 1, duration: 5s}]", "give one of them"),
        ("[{pause: 5s, load: {globalQPSLoad: {qps: 1}}}]", "load: pause has none"),
        ("[{name: a, create: {}}, {patch: {of: a, body: {metadata: {name: b}}}}]", "cannot change metadata.name"),
        ("[{name: a, create: {}}, {label: {of: a, values: ['not a value']}}]", "should match pattern"),
        ("[" + "{parallel: [" * 9 + "{pause: 1s}" + "]}" * 9 + "]", "nested more than 8 deep"),
    ],
)
def test_what_a_file_may_not_say(steps: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        spec(steps)


def test_a_manager_that_wraps_can_only_create_and_delete(tmp_path: Path) -> None:
    there = OcmFleet(tmp_path, 1).file()
    steps = "[{name: a, create: {}}, {scale: {of: a, to: [2]}}]"
    with pytest.raises(UsageError, match="steps: scale: ocm wraps objects at its source"):
        plan(there, EXPERIMENT, spec(steps, through="manager"))
    assert plan(there, EXPERIMENT, spec("[{name: a, create: {}}, {delete: {of: a}}]", through="manager"))


def test_every_action_has_its_field() -> None:
    assert list(ACTIONS) == list(FORMS[1:6])
    for word, action in ACTIONS.items():
        assert Step.model_fields[word].annotation == action.model | None, word


@pytest.mark.parametrize("file", EXAMPLES, ids=[file.stem for file in EXAMPLES])
def test_the_examples_can_be_read(file: Path) -> None:
    found = registry.load(file)
    assert isinstance(found, Play)
    assert registry.load(file, quick=True) != found


@pytest.mark.parametrize("kind", [OcmFleet, StandInFleet])
async def test_through_a_manager_objects_reach_their_wec_and_go(
    tmp_path: Path, state: Path, kind: type[OcmFleet]
) -> None:
    steps = """
- {name: web, create: {kind: deployment, objects: 4, pods: 2}}
- {name: data, create: {kind: configmap, objects: 2}}
- {delete: {of: web}}
"""
    if kind is StandInFleet:  # it does not wrap: what is at its source can be changed there
        steps += "- {label: {of: data, values: [x]}}\n"
    async with kind(state, 2) as there:
        for server in there.servers:
            give_service_accounts(server)
        chosen = spec(steps, clusters="all", through="manager")
        runner = Runner(there.file(), state, EXPERIMENT, chosen, tmp_path / "results", progress=Silent())
        outcome = await runner.run()
        left = there.leftovers()
    rows = {row.stage: row for row in analyse(RunFolder.open(outcome.folder)).rows}
    assert [why for why in faults(outcome) if "late (p99" not in why] == []
    assert (rows["create-ready"].count, rows["create-ready"].missing) == (6, 0)
    assert (rows["delete-gone"].count, rows["delete-gone"].missing) == (4, 0)
    assert {one.cluster for one in requests(outcome)} == {"wec001", "wec002"}
    assert left == []
