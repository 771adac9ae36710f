"""karpenter-scale: its trials, what it refuses, and its run around the trials."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from fleet.errors import DeadlineError
from fleet.experiment.cleanup import CleanReport
from fleet.experiment.definition import Needs
from fleet.experiment.own import OwnExperiment, PlannedTrial
from fleet.experiment.platform_wec import platform_wec
from fleet.experiment.prepare import make_namespaces
from fleet.experiment.session import Session
from fleet.experiment.watches import labelled
from fleet.experiment.wec_scrape import scraping
from fleet.experiments.karpenter_scale import marks, series
from fleet.experiments.karpenter_scale.scenarios import (
    POINT,
    SCENARIOS,
    Scenario,
    change_stage,
    scale_out_stage,
    scaled,
)
from fleet.experiments.karpenter_scale.spec import KarpenterScale
from fleet.experiments.karpenter_scale.trial import Trial, Watches
from fleet.experiments.room import check_memory
from fleet.host.weight import MIB
from fleet.kube.client import KubeClient
from fleet.kube.resources import PODS
from fleet.kube.waiting import wait_for_objects
from fleet.managers.manager import Manager
from fleet.model.fleet_file import FleetFile
from fleet.model.run_names import trial_id
from fleet.observe.wec_pages import wec_pages
from fleet.platforms.karpenter import names

PLATFORM = "karpenter"
MEMORY_PER_POD = 1.5 * MIB
"""What API server, etcd, Karpenter, controllers and the simulator hold more per pod and its part of a node."""


@dataclass(frozen=True)
class ScaleTrial(PlannedTrial):
    """One scenario."""

    scenario: Scenario = SCENARIOS["basic"]


class KarpenterScaleExperiment(OwnExperiment[KarpenterScale]):
    """The body."""

    name = "karpenter-scale"
    file = KarpenterScale
    own_stages = marks.STAGES

    def bounded(self, spec: KarpenterScale, fleet: FleetFile, manager: Manager) -> Sequence[str]:
        """Its stages, and both phases of each scenario."""
        phases = [name for each in spec.scenarios for name in (scale_out_stage(each), change_stage(each))]
        return [*super().bounded(spec, fleet, manager), *phases]

    def plan(self, spec: KarpenterScale, fleet: FleetFile, manager: Manager) -> Sequence[ScaleTrial]:  # noqa: ARG002
        """Scenarios in the order of the file, round after round."""
        wec = wec_of(fleet)
        chosen = [scaled(SCENARIOS[name], spec.share) for name in spec.scenarios]
        most = max(chosen, key=lambda scenario: scenario.pods)
        what = f"scenarios: {most.name} has {most.pods} pods, which"
        check_memory(fleet, what, most.pods, MEMORY_PER_POD, "; lower `share`")
        rounds = [-1] * spec.warmup + list(range(spec.repeats))
        turns = [(repeat, scenario) for repeat in rounds for scenario in chosen]
        return [
            ScaleTrial(
                trial_id(n), repeat, f"{POINT}{scenario.name}", (wec,), f"{scenario.pods} pods", scenario
            )
            for n, (repeat, scenario) in enumerate(turns)
        ]  # fmt: skip

    def needs(self, spec: KarpenterScale, fleet: FleetFile, trials: Sequence[ScaleTrial]) -> Needs:  # noqa: ARG002
        """The WEC that has Karpenter."""
        return Needs(frozenset({wec_of(fleet)}), frozenset())

    async def run(self, session: Session, trials: Sequence[ScaleTrial]) -> None:
        """As in the protocol."""
        client = session.spaces.wecs[wec_of(session.fleet)]
        async with session.step("prepare"):
            wanted = {session.names.namespace}
            await make_namespaces(session.spaces, session.manager, session.names, wanted, pods=True)
        pages = wec_pages(session.fleet, {client.cluster: client}, series.API_SERVER, series.PROGRAMS)
        async with (
            _watching(session, client) as watches,
            session.measuring(),
            scraping(session, pages) as scraper,
        ):
            body = Trial(session, client, watches, scraper)
            for trial in trials:
                await body.run(trial)

    async def clean(self, session: Session, trials: Sequence[ScaleTrial], seconds: float) -> CleanReport:
        """The run's namespace owns its NodePools; their nodes are gone when the NodeClaims are."""
        report = await super().clean(session, trials, seconds / 2)
        left = [sentence for c in session.spaces.wecs.values() if (sentence := await _claims_left(c, session, seconds))]
        return replace(report, left=(*report.left, *left))


async def _claims_left(client: KubeClient, session: Session, seconds: float) -> str:
    """What is still there when its time is up; empty: nothing."""
    selector = session.names.selector()
    try:
        await wait_for_objects(
            client,
            names.NODE_CLAIMS,
            lambda found: not found,
            label_selector=selector,
            timeout=max(1.0, seconds / 2),
            what=f"no {names.NODE_CLAIMS} with {selector}",
            missing=lambda found: [name for _, name in found],
        )
    except DeadlineError as error:
        return str(error)
    return ""


def wec_of(fleet: FleetFile) -> str:
    """The first WEC that has Karpenter; UsageError where there is none."""
    return platform_wec(fleet, PLATFORM, "Karpenter", "control_plane_driver=process")


@asynccontextmanager
async def _watching(session: Session, client: KubeClient) -> AsyncIterator[Watches]:
    """One watch per resource."""
    pods = labelled(session, client, PODS, marks.of_pod, namespace=session.names.namespace)
    claims = labelled(session, client, names.NODE_CLAIMS, marks.of_claim)
    async with pods, claims:
        yield Watches(pods, claims)


EXPERIMENT = KarpenterScaleExperiment()
