"""admission-latency: its trials, what it refuses, and its run around the trials."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fleet.errors import UsageError
from fleet.experiment.cleanup import CleanReport
from fleet.experiment.definition import Needs
from fleet.experiment.load_client import PROGRAM, LoadClient, credentials, threads
from fleet.experiment.own import OwnExperiment, PlannedTrial
from fleet.experiment.platform_wec import platform_wec
from fleet.experiment.prepare import make_namespaces
from fleet.experiment.session import Session
from fleet.experiment.wec_nodes import node_names
from fleet.experiment.wec_scrape import scraping
from fleet.experiments.admission_latency import series
from fleet.experiments.admission_latency.marks import CREATED
from fleet.experiments.admission_latency.policies import refuse_others, take_out
from fleet.experiments.admission_latency.sets import NONE, SETS
from fleet.experiments.admission_latency.spec import AdmissionLatency, Load, loads_of
from fleet.experiments.admission_latency.trial import Trials, emptied
from fleet.managers.manager import Manager
from fleet.model.checkout import checkout
from fleet.model.fleet_file import FleetFile
from fleet.model.run_names import trial_id
from fleet.observe.wec_pages import wec_pages
from fleet.toolchain import locate

PLATFORM = "kyverno"
NEED = "experiment:admission-latency"


@dataclass(frozen=True)
class AdmissionTrial(PlannedTrial):
    """One load under one policy set."""

    policies: str = NONE
    load: Load = field(default=Load(1))


def built() -> Path:
    """The load client; ToolchainMissing when it is not built."""
    return locate(checkout() / "toolchain", None, {NEED}).program(PROGRAM)


class AdmissionLatencyExperiment(OwnExperiment[AdmissionLatency]):
    """The body."""

    name = "admission-latency"
    file = AdmissionLatency
    own_stages = (CREATED,)

    def __init__(self, program: Callable[[], Path] = built) -> None:
        self._program = program

    def plan(self, spec: AdmissionLatency, fleet: FleetFile, manager: Manager) -> Sequence[AdmissionTrial]:  # noqa: ARG002
        """Each set right after a baseline of its own, round after round, so that what drifts hits both alike."""
        wec = wec_of(fleet)
        if not fleet.wec_nodes:
            raise UsageError("the pods are on a simulated node, and the fleet has none: fleet up -e wec_nodes=1")
        rounds = [-1] * spec.warmup + list(range(spec.repeats))
        turns = [
            (repeat, load, policies)
            for load in loads_of(spec)
            for repeat in rounds
            for chosen in spec.sets
            for policies in (NONE, chosen)
        ]
        return [
            AdmissionTrial(
                trial_id(number), repeat, f"policies={policies} {load.point}", (wec,), SETS[policies].text, policies,
                load,
            )
            for number, (repeat, load, policies) in enumerate(turns)
        ]  # fmt: skip

    def needs(self, spec: AdmissionLatency, fleet: FleetFile, trials: Sequence[AdmissionTrial]) -> Needs:  # noqa: ARG002
        """The WEC that has Kyverno."""
        return Needs(frozenset({wec_of(fleet)}), frozenset())

    async def run(self, session: Session, trials: Sequence[AdmissionTrial]) -> None:
        """As in the protocol."""
        program = self._program()
        client = session.spaces.wecs[wec_of(session.fleet)]
        async with session.step("prepare"):
            labels = session.names.labels()
            await refuse_others(client, labels)
            await take_out(client, labels)
            wanted = {session.names.namespace}
            await make_namespaces(session.spaces, session.manager, session.names, wanted, pods=True)
            nodes = await node_names(client)
        pages = wec_pages(session.fleet, {client.cluster: client}, series.API_SERVER, series.PROGRAMS)
        entry = next(cluster for cluster in session.fleet.wecs() if cluster.name == client.cluster)
        with tempfile.TemporaryDirectory(prefix="fleet-admission-") as folder, threads() as pool:
            loads, where = LoadClient(program, pool), credentials(entry, Path(folder))
            async with session.measuring(), scraping(session, pages) as scraper:
                body = Trials(session, client, loads, where, nodes[0], scraper)
                async with session.step("primer"):
                    await body.primer()
                for trial in trials:
                    await body.run(trial)

    async def clean(self, session: Session, trials: Sequence[AdmissionTrial], seconds: float) -> CleanReport:
        """Policies, then namespaces."""
        for client in session.spaces.wecs.values():
            await emptied(client, session)
        return await super().clean(session, trials, seconds)


def wec_of(fleet: FleetFile) -> str:
    """The first WEC that has Kyverno; UsageError where there is none."""
    return platform_wec(fleet, PLATFORM, "Kyverno", "wec_nodes=1")


EXPERIMENT = AdmissionLatencyExperiment()
"""Finds admission-latency by its folder."""
