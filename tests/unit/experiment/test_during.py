"""A run whose programs die: by nobody's plan it is partial, by `during` it is planned; healed even after Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from fleet.analysis.study import analyse
from fleet.errors import SpecError, UsageError
from fleet.experiment.progress import Silent
from fleet.experiment.runner import Outcome, Runner, plan
from fleet.experiments.wec_scaling import WecScaling
from fleet.faults import notes
from fleet.faults.registry import planned
from fleet.host.supervise import Program, Supervisor
from fleet.model.during import DuringStep
from fleet.model.fleet_file import Component, FleetFile
from fleet.results import events
from fleet.results.folder import RunFolder
from tests.unit.experiment.stand_in import StandInFleet
from tests.unit.experiment.test_runner import Tripwire, faults, impatient, lines, spec
from tests.unit.faults.plain import PLAIN

TARGET = "transport.wds1"


class Programs(StandInFleet):
    """A stand-in fleet with a real supervisor that runs one program, which does nothing."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, 2)
        self.supervisor = Supervisor(folder)
        idle = (sys.executable, "-c", "import signal; signal.pause()")
        self.supervisor.converge("hub", [Program(TARGET, idle, stop_seconds=2)])

    def file(self) -> FleetFile:
        """With that program."""
        component = Component(program=TARGET, component="transport", machine="local", cluster="wds1")
        return super().file().model_copy(update={"components": [component]})

    @property
    def pid(self) -> int:
        """Of the program; 0 when it does not run."""
        state = self.supervisor.state(TARGET)
        return state.pid if state is not None else 0

    def kill_until_it_runs_again(self) -> None:
        """Returns within the step that called: on a full machine the end of a process may take as long as a trial."""
        before, late = self.pid, time.monotonic() + 30
        os.kill(before, signal.SIGKILL)
        while self.pid in (0, before):
            assert time.monotonic() < late
            time.sleep(0.01)


@pytest.fixture
async def fleet() -> AsyncIterator[Programs]:
    # A short path of its own: pytest's may exceed the 107 bytes of a unix socket.
    with TemporaryDirectory(prefix="fd-") as folder:
        state = Path(folder) / "state"
        state.mkdir(mode=0o700)
        made = Programs(state)
        try:
            async with made:
                yield made
        finally:
            made.supervisor.shutdown()


def chosen(*during: dict[str, Any]) -> WecScaling:
    entries = [{"at": "0s", "action": "stop", "target": TARGET, **fields} for fields in during]
    return spec(wecs=[2], layouts=["one-to-many"], during=entries)


def runner(fleet: Programs, wanted: WecScaling, progress: Any = None) -> Runner:
    results = fleet.folder.parent / "results"
    return Runner(
        fleet.file(), fleet.folder, impatient(wanted), wanted, results, progress=progress or Silent(),
    )  # fmt: skip


def summary(outcome: Outcome) -> list[str]:
    return [
        type(line).__name__ for line in lines(outcome) if isinstance(line, events.FaultInjected | events.FaultHealed)
    ]


async def test_a_program_that_is_killed_in_a_trial_makes_the_run_partial(fleet: Programs) -> None:
    before = fleet.pid
    wire = Tripwire("drain", lambda: os.kill(before, signal.SIGKILL), trial=2)
    outcome = await runner(fleet, chosen(), wire).run()
    assert fleet.pid not in (0, before)
    assert outcome.verdict == "partial"
    (told,) = faults(outcome)
    assert told.startswith(f"{TARGET} (machine local) ended")
    assert "in trial t001: " in told
    assert "flagged `disturbed`" in told
    assert RunFolder.open(outcome.folder).read_run().status == "partial"


async def test_one_that_is_killed_in_the_warm_up_is_a_warning(fleet: Programs) -> None:
    before = fleet.pid
    wire = Tripwire("drain", fleet.kill_until_it_runs_again, trial=1)
    outcome = await runner(fleet, chosen(), wire).run()
    assert fleet.pid not in (0, before)
    assert faults(outcome) == []


async def test_a_planned_stop_is_told_apart(fleet: Programs) -> None:
    before = fleet.pid
    outcome = await runner(fleet, chosen({"for": "1s"})).run()
    assert fleet.pid not in (0, before)
    assert faults(outcome) == []
    assert summary(outcome) == ["FaultInjected", "FaultHealed"]
    told = lines(outcome)
    begun = [line.step for line in told if isinstance(line, events.RunMark) and line.edge == "begin"]
    assert begun[begun.index("faults") :][:5] == ["faults", "load", "drain", "heal", "quiet"]
    changed = [line for line in told if isinstance(line, events.ProgramChanged)]
    assert {line.program for line in changed} == {TARGET}
    (kept,) = RunFolder.open(outcome.folder).read_run().spec.during
    assert (kept.at, kept.action, kept.target, kept.lasting) == (0.0, "stop", TARGET, 1.0)


async def test_a_schedule_that_is_drawn_is_carried_out_measured_and_the_rules_hold(fleet: Programs) -> None:
    draw = {"count": 1, "between": ["0s", "0s"], "from": [{"action": "pause", "target": TARGET, "for": "500ms"}]}
    wanted = spec(wecs=[2], layouts=["one-to-many"], during=[{"draw": draw}])
    before = fleet.pid
    outcome = await runner(fleet, wanted).run()
    assert (fleet.pid, summary(outcome)) == (before, ["FaultInjected", "FaultHealed"])
    found = analyse(RunFolder.open(outcome.folder))
    (row,) = found.fault_rows
    assert (row.action, row.target, row.repeats, row.unrecovered) == ("pause", TARGET, 1, 0)
    (one,) = found.faults
    assert one.lasted is not None
    assert one.lasted >= 0.5
    assert found.checked.findings == ()
    assert found.checked.pairs > 0


async def test_what_a_killed_run_has_left_is_undone_before_anything_else(fleet: Programs) -> None:
    steps = [DuringStep.model_validate({"at": "0s", "action": "stop", "target": TARGET})]
    (left,) = planned(steps, fleet.file(), ["t000"], PLAIN)[0].aims
    notes.write(fleet.folder, left)
    fleet.supervisor.stop(TARGET)
    await runner(fleet, chosen()).run()
    assert fleet.pid != 0
    assert notes.pending(fleet.folder) == []


async def test_what_the_machine_cannot_do_is_refused_before_there_is_a_folder(fleet: Programs) -> None:
    wanted = spec(wecs=[2], during=[{"at": "0s", "action": "expire-certificate", "target": TARGET}])
    with pytest.raises(
        UsageError, match=r"during: expire-certificate of transport\.wds1 cannot be done on machine local"
    ):
        await runner(fleet, wanted).run()
    assert not list((fleet.folder.parent / "results").rglob("run.json"))


async def test_a_signal_heals_before_the_run_ends(fleet: Programs) -> None:
    wire = Tripwire("heal", lambda: signal.raise_signal(signal.SIGINT), trial=2)
    outcome = await runner(fleet, chosen({"for": "1h"}), wire).run()
    assert outcome.exit_code == 130
    assert outcome.reasons[0] == "interrupted by SIGINT"
    assert summary(outcome) == ["FaultInjected", "FaultHealed"]
    assert fleet.pid != 0


def test_a_target_that_the_fleet_does_not_have_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    stand_in = StandInFleet(tmp_path, 2)
    entry = {"at": "0s", "action": "stop", "target": "its2"}
    wanted = spec(wecs=[2], during=[entry])
    with pytest.raises(SpecError, match=r"during\.0\.target: .*did you mean `its1`"):
        plan(stand_in.file(), impatient(wanted), wanted)
