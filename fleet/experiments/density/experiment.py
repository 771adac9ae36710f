"""The experiment `density`: sequences over a list of counts, each from a clean launch on this machine."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from fleet.errors import CapacityError, SpecError
from fleet.experiment.cleanup import CleanReport
from fleet.experiment.definition import Needs
from fleet.experiment.load_client import PROGRAM, LoadClient, threads
from fleet.experiment.own import OwnExperiment
from fleet.experiment.runner import state_folder
from fleet.experiment.session import Session
from fleet.experiments.density.analysis import STAGES
from fleet.experiments.density.file import DensityFile
from fleet.experiments.density.sequence import Bench, DensityTrial
from fleet.experiments.density.targets import registry
from fleet.experiments.density.targets.target import Ground, Target
from fleet.managers.manager import Manager, Spaces
from fleet.model.checkout import checkout
from fleet.model.experiment_file import ExperimentFile
from fleet.model.fleet_file import FleetFile
from fleet.model.run_names import trial_id
from fleet.toolchain import Toolchain, locate

FOLDER = "{fleet}.density"
"""Alongside the folder of the fleet: no name of a fleet has a dot."""
NEED = "experiment:density"
FEWEST_PROBED = 2


def built(spec: DensityFile) -> Toolchain:
    """The programs that a run needs; ToolchainMissing names what is not built."""
    return locate(checkout() / "toolchain", None, {NEED, *registry.of(spec.target).needs})


class Density(OwnExperiment[DensityFile]):
    """It launches its own control planes and leaves those of the fleet alone."""

    name: ClassVar[str] = "density"
    file: ClassVar[type[ExperimentFile]] = DensityFile

    def __init__(self, toolchain: Callable[[DensityFile], Toolchain] = built) -> None:
        self._toolchain = toolchain

    def plan(self, spec: DensityFile, fleet: FleetFile, manager: Manager) -> list[DensityTrial]:  # noqa: ARG002
        """Round after round over all counts, in an order of the seed's: what drifts must not look like a slope."""
        registry.of(spec.target)
        if spec.during:
            raise SpecError("faults are aimed at programs of the fleet, and density measures its own", field="during")
        if spec.profiles.enabled:
            raise SpecError("profiles are of the fleet's programs: write `snapshots` instead", field="profiles.enabled")
        order = random.Random(spec.seed)  # noqa: S311 - a reproducible order, not a secret
        made: list[DensityTrial] = []
        most = max(spec.clusters)
        for repeat in [-1] * spec.warmup + list(range(spec.repeats)):
            for count in order.sample(spec.clusters, len(spec.clusters)):
                last = repeat == 0 and count == most
                made.append(
                    DensityTrial(
                        trial_id(len(made)),
                        repeat,
                        f"clusters={count}",
                        what=f"{spec.target} {spec.plane} {spec.scenario}",
                        count=count,
                        probed=last and spec.probes and count >= FEWEST_PROBED,
                        shown=last,
                    )
                )
        return made

    def bounded(self, spec: DensityFile, fleet: FleetFile, manager: Manager) -> Sequence[str]:  # noqa: ARG002
        """The stages of its samples."""
        return STAGES

    def needs(self, spec: DensityFile, fleet: FleetFile, trials: Sequence[Any]) -> Needs:  # noqa: ARG002
        """None of the fleet's clusters."""
        return Needs()

    async def admit(self, spec: DensityFile, fleet: FleetFile, spaces: Spaces, trials: Sequence[Any]) -> None:  # noqa: ARG002
        """CapacityError with every reason why this machine cannot carry it. What a killed run left is removed first: it
        would hold ports and memory."""
        with threads() as pool:
            target = self._target(spec, fleet)
            run = asyncio.get_running_loop().run_in_executor
            await run(pool, target.down)
            found = await run(pool, target.refuse, max(spec.clusters))
        if found:
            lines = "\n".join(f"- {reason}" for reason in found)
            raise CapacityError(f"density cannot be run here; nothing was started:\n{lines}")

    async def run(self, session: Session, trials: Sequence[Any]) -> None:
        """Sequence after sequence."""
        with threads() as pool:
            target = self._target(session.spec, session.fleet)
            client = LoadClient(self._toolchain(session.spec).program(PROGRAM), pool)
            for trial in trials:
                await Bench(session, trial, target, client, pool).run()

    async def clean(self, session: Session, trials: Sequence[Any], seconds: float) -> CleanReport:  # noqa: ARG002
        """What an interrupted sequence left on this machine."""
        with threads() as pool:
            target = self._target(session.spec, session.fleet)
            async with asyncio.timeout(seconds):
                await asyncio.get_running_loop().run_in_executor(pool, target.down)
        return CleanReport()

    def _target(self, spec: DensityFile, fleet: FleetFile) -> Target:
        folder = state_folder(fleet)
        ground = Ground(folder.parent / FOLDER.format(fleet=folder.name), spec, self._toolchain(spec))
        return registry.of(spec.target).make(ground)


EXPERIMENT = Density()
