"""Faults alongside a load: at their moment, healed whatever ends it, by real helpers on a real supervisor."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from fleet.faults import helper
from fleet.faults.beside import Faults
from fleet.faults.fault import Aim
from fleet.faults.registry import planned
from fleet.host.supervise import Supervisor
from fleet.model.during import DuringStep
from fleet.model.fleet_file import FleetFile
from fleet.results.events import FaultHealed, FaultInjected, Line
from tests.unit.faults.plain import PLAIN

TARGET = "transport.wds1"
SECOND = 1_000_000_000


class Kept:
    """A recorder that keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.anomalies: list[tuple[str, str, str]] = []

    def record(self, line: Line, /) -> None:
        self.lines.append(line)

    def anomaly(self, what: str, text: str, *, trial: str = "", cluster: str = "") -> None:  # noqa: ARG002
        self.anomalies.append((what, trial, text))


def faults(fleet: FleetFile, kept: Kept, *steps: dict[str, Any]) -> Faults:
    made = [DuringStep.model_validate({"at": "0s", "action": "stop", "target": TARGET, **fields}) for fields in steps]
    return Faults(fleet, planned(made, fleet, ["t000", "t001"], PLAIN), kept)


def running(supervisor: Supervisor) -> bool:
    state = supervisor.state(TARGET)
    return state is not None and state.running


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not become true"
        await asyncio.sleep(0.02)


async def test_a_program_is_stopped_at_its_moment_and_for_its_time(supervisor: Supervisor, fleet: FleetFile) -> None:
    kept, other = Kept(), supervisor.state("controller-manager.wds1")
    async with faults(fleet, kept, {"at": "200ms", "for": "1s"}) as made:
        begin = time.monotonic_ns()
        made.begin("t001", counted=True)
        assert running(supervisor)
        await until(lambda: not running(supervisor))
        await made.end()
        assert running(supervisor)
    injected, healed = kept.lines
    assert isinstance(injected, FaultInjected)
    assert isinstance(healed, FaultHealed)
    assert injected.ns - begin >= SECOND // 5
    assert healed.ns - injected.ns >= SECOND
    assert (injected.trial, injected.target, injected.programs, injected.clusters) == ("t001", TARGET, [TARGET], [])
    after = supervisor.state("controller-manager.wds1")
    assert other is not None
    assert after is not None
    assert (other.pid, kept.anomalies) == (after.pid, [])


async def test_without_a_time_it_lasts_until_the_trial_ends(supervisor: Supervisor, fleet: FleetFile) -> None:
    kept = Kept()
    async with faults(fleet, kept, {}) as made:
        made.begin("t001", counted=True)
        await until(lambda: not running(supervisor))
        await made.end()
        assert running(supervisor)


async def test_a_moments_fault_is_over_when_the_program_is_back(supervisor: Supervisor, fleet: FleetFile) -> None:
    kept, before = Kept(), supervisor.state(TARGET)
    async with faults(fleet, kept, {"action": "kill"}) as made:
        await made.prepare("t001", counted=True)
        made.begin("t001", counted=True)
        await until(lambda: len(kept.lines) == 2)  # without the end of the trial
        after = supervisor.state(TARGET)
        await made.end()
    assert before is not None
    assert after is not None
    assert (after.state, kept.anomalies) == ("RUNNING", [])
    assert after.pid != before.pid


async def test_a_paused_program_keeps_its_process(supervisor: Supervisor, fleet: FleetFile) -> None:
    kept, before = Kept(), supervisor.state(TARGET)
    assert before is not None
    async with faults(fleet, kept, {"action": "pause", "for": "500ms"}) as made:
        made.begin("t001", counted=True)
        await until(lambda: psutil.Process(before.pid).status() == psutil.STATUS_STOPPED)
        await made.end()
    assert psutil.Process(before.pid).status() != psutil.STATUS_STOPPED
    assert [type(line) for line in kept.lines] == [FaultInjected, FaultHealed]
    assert kept.anomalies == []


async def test_a_restart_loop_kills_again_and_again_and_ends(supervisor: Supervisor, fleet: FleetFile) -> None:
    kept, pids = Kept(), set()

    def restarted() -> bool:
        state = supervisor.state(TARGET)
        if state is not None and state.pid:
            pids.add(state.pid)
        return len(pids) > 2

    async with faults(fleet, kept, {"action": "restart-loop", "with": {"every": "1500ms"}}) as made:
        made.begin("t001", counted=True)
        await until(restarted)
        await made.end()
    assert running(supervisor)
    assert kept.anomalies == []


async def test_warm_ups_are_left_alone(supervisor: Supervisor, fleet: FleetFile) -> None:
    kept = Kept()
    async with faults(fleet, kept, {}) as made:
        made.begin("t000", counted=False)
        await made.end()
    assert (kept.lines, kept.anomalies, running(supervisor)) == ([], [], True)


async def test_a_trial_that_was_over_before_says_so(supervisor: Supervisor, fleet: FleetFile) -> None:
    kept = Kept()
    async with faults(fleet, kept, {"at": "1h"}) as made:
        made.begin("t001", counted=True)
        await made.end()
    assert [(what, trial) for what, trial, _ in kept.anomalies] == [("fault-skipped", "t001")]
    assert kept.lines == []
    assert running(supervisor)


async def test_a_run_that_is_cancelled_heals_however_often(supervisor: Supervisor, fleet: FleetFile) -> None:
    kept = Kept()

    async def run() -> None:
        async with faults(fleet, kept, {"for": "1h"}) as made:
            made.begin("t001", counted=True)
            await made.end()

    task = asyncio.create_task(run())
    await until(lambda: not running(supervisor))
    while not task.done():
        task.cancel()
        await asyncio.sleep(0.01)
    assert task.cancelled()
    assert running(supervisor)
    assert [type(line) for line in kept.lines] == [FaultInjected, FaultHealed]


async def test_what_cannot_be_undone_names_the_command(supervisor: Supervisor, fleet: FleetFile) -> None:
    kept = Kept()
    async with faults(fleet, kept, {}) as made:
        made.begin("t001", counted=True)
        await until(lambda: not running(supervisor))
        supervisor.shutdown()
        await made.end()
    ((what, trial, text),) = kept.anomalies
    assert (what, trial) == ("fault-not-healed", "t001")
    assert text.startswith("stop of transport.wds1 could not be undone: ")
    assert text.endswith("Repair it with `fleet up --fleet demo`")


async def test_a_helper_that_died_is_started_again_to_heal(supervisor: Supervisor, fleet: FleetFile) -> None:
    kept = Kept()
    async with faults(fleet, kept, {}) as made:
        made.begin("t001", counted=True)
        await until(lambda: not running(supervisor))
        await asyncio.sleep(0.1)  # the answer has arrived
        for child in psutil.Process().children():
            if helper.__name__ in child.cmdline():
                child.kill()
        await made.end()
    assert (kept.anomalies, running(supervisor)) == ([], True)


def test_a_helper_whose_driver_was_killed_heals_by_itself(supervisor: Supervisor, fleet: FleetFile) -> None:
    step = DuringStep.model_validate({"at": "0s", "action": "stop", "target": TARGET})
    (aim,) = planned([step], fleet, ["t000"], PLAIN)[0].aims
    opening = helper.Opening(root=str(supervisor.layout.root)).model_dump_json()
    order = helper.Order(verb="inject", aim=aim).model_dump_json()
    process = subprocess.Popen(
        [sys.executable, "-m", helper.__name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{opening}\n{order}\n".encode())
    process.stdin.flush()
    assert process.stdout.readline() == b'""\n'
    assert not running(supervisor)
    process.stdin.close()
    assert process.wait(30) == 0
    process.stdout.close()
    assert running(supervisor)


def test_an_order_that_fails_is_answered_with_why(supervisor: Supervisor) -> None:
    aim = Aim(key="a", action="stop", target="nobody.x", parts=["nobody.x"], fleet="demo", machine="local", repair="x")
    answers: list[bytes] = []
    opening = helper.Opening(root=str(supervisor.layout.root))
    helper.serve(opening, [helper.Order(verb="inject", aim=aim).model_dump_json().encode()], answers.append)
    assert b"nobody.x" in answers[0]
    assert answers[0].endswith(b"\n\n")
