"""The experiment `idle`: windows in which nobody does anything, and what every program took in them."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from fleet.errors import SpecError, UsageError
from fleet.experiment.definition import Needs
from fleet.experiment.own import OwnExperiment, PlannedTrial, repeated
from fleet.experiment.session import Session
from fleet.experiments.idle.analysis import UNITS
from fleet.host.ports import Registry
from fleet.host.process_stats import ProcessWeight, weigh_pids
from fleet.host.supervise import Supervisor
from fleet.managers.manager import Manager
from fleet.model.base import Name
from fleet.model.duration import Duration, Moment
from fleet.model.experiment_file import ExperimentFile
from fleet.model.fleet_file import FleetFile
from fleet.observe.processes import programs

SUPERVISOR = "supervisord"
FRESH_SECONDS = 900.0
"""A fleet that was built longer ago has used CPU for other things than to come up."""

Look = Mapping[tuple[str, str], ProcessWeight]
"""By machine and program."""


class IdleFile(ExperimentFile):
    """What a file of `idle` has."""

    QUICK: ClassVar[Mapping[str, Any]] = {"repeats": 2, "settle": "5s", "window": "20s"}

    experiment: Literal["idle"]
    name: Name = "idle"
    warmup: int = Field(default=0, ge=0, le=100)
    settle: Moment = 30.0
    """Before the first window."""
    window: Duration = 60.0
    """Length of a window."""


class Idle(OwnExperiment[IdleFile]):
    """It opens no client and asks no program anything: even that would not be rest."""

    name: ClassVar[str] = "idle"
    file: ClassVar[type[ExperimentFile]] = IdleFile

    def plan(self, spec: IdleFile, fleet: FleetFile, manager: Manager) -> list[PlannedTrial]:  # noqa: ARG002
        """A trial is a window."""
        if spec.during:
            raise SpecError("a fleet that is disturbed does not rest", field="during")
        if spec.profiles.enabled:
            raise SpecError("a program that is profiled does not rest", field="profiles.enabled")
        away = [machine.name for machine in fleet.machines if machine.connection != "local"]
        if away or not all(cluster.built for cluster in fleet.clusters):
            where = f"machine {away[0]} is another one" if away else "its clusters exist without it"
            raise UsageError(f"idle measures programs of the machine that it runs on, and of this fleet {where}")
        return repeated(spec, [""], [cluster.name for cluster in fleet.clusters])

    def needs(self, spec: IdleFile, fleet: FleetFile, trials: Sequence[Any]) -> Needs:  # noqa: ARG002
        """No client."""
        return Needs()

    async def run(self, session: Session, trials: Sequence[PlannedTrial]) -> None:
        """Window after window; each begins with the look that ended the one before."""
        async with session.step("settle"):
            await asyncio.sleep(session.spec.settle)
        for number, trial in enumerate(trials):
            async with session.trial(trial):
                begin, before = time.monotonic(), await asyncio.to_thread(look, session.fleet)
                async with session.step("window", trial.id):
                    await asyncio.sleep(session.spec.window)
                after = await asyncio.to_thread(look, session.fleet)
                _write(session, trial.id, before, after, time.monotonic() - begin)
                if number == 0:
                    _write_start(session, trial.id, before, after, time.monotonic() - begin)


def look(fleet: FleetFile) -> Look:
    """Every program of the fleet that runs, its supervisor too."""
    found: dict[tuple[str, str], ProcessWeight] = {}
    for machine in fleet.machines:
        root = Path(machine.state_dir)
        pids = [*programs(root)().items()]
        pids += [(SUPERVISOR, process.pid) for process in Supervisor(root).daemon.processes()]
        for weight in weigh_pids(sorted(pids)):
            found[machine.name, weight.program] = weight
    return found


def ports_of(fleet: FleetFile) -> int:
    """That its machines hold for it."""
    roots = [Path(machine.state_dir) for machine in fleet.machines]
    return sum(block.count for root in roots for block in Registry(root.parent).blocks() if block.fleet == root.name)


def _write(session: Session, trial: str, before: Look, after: Look, seconds: float) -> None:
    for key, now in sorted(after.items()):
        was = before.get(key)
        if was is None or was.pid != now.pid:
            session.recorder.anomaly("restarted", f"{key[1]} on {key[0]} was started in the window", trial=trial)
            continue
        values = {
            "cpu": (now.cpu_seconds - was.cpu_seconds) / seconds,
            "pss": now.pss,
            "rss": now.rss,
            "anonymous": now.anonymous,
            "peak_rss": now.peak_rss,
            "descriptors": now.descriptors,
            "inotify": now.inotify,
            "threads": now.threads,
        }
        for name, value in values.items():
            session.measured(name, float(value), UNITS[name], trial=trial, **_labels(session.fleet, *key))
    for machine, program in sorted(before.keys() - after.keys()):
        session.recorder.anomaly("ended", f"{program} on {machine} ended in the window", trial=trial)
    session.measured("ports", float(ports_of(session.fleet)), UNITS["ports"], trial=trial)


def _write_start(session: Session, trial: str, before: Look, after: Look, seconds: float) -> None:
    """CPU that each program used until the fleet was built: what it had used by now, less its CPU at rest since then.

    Of a fleet that was built just before alone.
    """
    built = session.fleet.bring_up
    if built is None or built.seconds is None:
        return
    since = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(built.began)
    rested = since.total_seconds() - built.seconds
    if not 0 <= rested <= FRESH_SECONDS:
        return
    for key, now in sorted(after.items()):
        was = before.get(key)
        if was is not None and was.pid == now.pid:
            rate = (now.cpu_seconds - was.cpu_seconds) / seconds
            used = max(0.0, now.cpu_seconds - rate * rested)
            session.measured("build_cpu", used, UNITS["build_cpu"], trial=trial, **_labels(session.fleet, *key))


def _labels(fleet: FleetFile, machine: str, program: str) -> dict[str, str]:
    entry = next((one for one in fleet.components if one.machine == machine and one.program == program), None)
    component, _, cluster = program.partition(".")
    return {
        "machine": machine,
        "program": program,
        "component": entry.component if entry else component,
        "cluster": entry.cluster if entry else cluster,
    }


EXPERIMENT = Idle()
