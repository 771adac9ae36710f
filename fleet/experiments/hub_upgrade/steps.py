"""The load with the upgrade alongside it, and the way back before the next trial."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from fleet.experiment import steps
from fleet.experiment.plan import TrialPlan
from fleet.experiment.policy_session import PolicySession
from fleet.experiment.reconfigure import OWN, Release
from fleet.experiments.hub_upgrade.spec import HubUpgrade
from fleet.results.events import FaultHealed, FaultInjected

ACTION = "upgrade"
"""As the lines have it that planned faults write: the report and the checker read an upgrade as one."""


class LoadMeanwhile(steps.Load):
    """Sends the trial's objects; in counted trials of an upgrade the manager is replaced at its moment."""

    async def do(self, session: PolicySession, trial: TrialPlan) -> None:
        """Done when each object was answered, and the new programs work."""
        assert isinstance(session.spec, HubUpgrade)  # noqa: S101 - the experiment's own step
        wanted = session.spec.upgrade(trial.point)
        if wanted is None or trial.repeat < 0:
            await super().do(session, trial)
            return
        release = Release(wanted.to, restart=f"{session.names.run_id.lower()}-{trial.id}")
        replacing = asyncio.create_task(_replace(session, trial, release, session.spec.at))
        try:
            await super().do(session, trial)
            await replacing
        finally:
            replacing.cancel()
            await asyncio.gather(replacing, return_exceptions=True)


class PutBack:
    """What the next trial begins with; a restart needs none."""

    name = "put-back"

    async def do(self, session: PolicySession, trial: TrialPlan) -> None:
        """Done when the fleet has it."""
        assert isinstance(session.spec, HubUpgrade)  # noqa: S101 - the experiment's own step
        wanted = session.spec.upgrade(trial.point)
        if wanted is not None and wanted.before != wanted.to and trial.repeat >= 0:
            await _have(session, trial, trial.release or OWN)


async def _replace(session: PolicySession, trial: TrialPlan, release: Release, at: float) -> None:
    await asyncio.sleep(at)
    fleet, record = session.fleet, session.manager.record(session.fleet)
    programs = [
        one for one in fleet.components if one.component in record.components and one.component not in record.agents
    ]
    name = fleet.manager.name
    session.recorder.record(
        FaultInjected(
            **_now(),
            trial=trial.id,
            number=0,
            action=ACTION,
            target=name,
            machine=", ".join(dict.fromkeys(one.machine for one in programs)),
            clusters=[],
            programs=sorted(one.program for one in programs),
        )
    )
    await _have(session, trial, release)
    session.recorder.record(FaultHealed(**_now(), trial=trial.id, number=0, action=ACTION, target=name))


async def _have(session: PolicySession, trial: TrialPlan, release: Release) -> None:
    assert session.refitted is not None  # noqa: S101 - set before the first trial
    await session.refitted.have(trial.limits, trial.link, trial.serving, release=release)


def _now() -> dict[str, Any]:
    return {"ns": time.monotonic_ns(), "wall": time.time_ns()}
