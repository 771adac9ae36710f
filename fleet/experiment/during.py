"""The steps around a trial's measured ones when the experiment has `during`: its faults begin and end with them."""

from __future__ import annotations

from fleet.experiment.plan import TrialPlan
from fleet.experiment.policy_session import PolicySession


class PrepareFaults:
    """Backups and the like are made first: what follows waits until all is quiet again."""

    name = "prepare-faults"

    async def do(self, session: PolicySession, trial: TrialPlan) -> None:
        """FleetError ends the run when one cannot be made."""
        await session.faults.prepare(trial.id, counted=trial.repeat >= 0)


class BeginFaults:
    """The moments of `during` count from here, right before the load."""

    name = "faults"

    async def do(self, session: PolicySession, trial: TrialPlan) -> None:
        """They go on alongside the steps that follow."""
        session.faults.begin(trial.id, counted=trial.repeat >= 0)


class EndFaults:
    """Waits until all of them are healed: the next trial begins with a whole fleet."""

    name = "heal"

    async def do(self, session: PolicySession, trial: TrialPlan) -> None:  # noqa: ARG002 - as every step
        """Those without a `for` are healed now."""
        await session.faults.end()
        await session.sampling.sample()  # what was started again belongs to this trial
