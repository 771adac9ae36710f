"""kubevirt-density: its trials, what it refuses, and its run around the trials."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from fleet.experiment.cleanup import CleanReport
from fleet.experiment.definition import Needs
from fleet.experiment.own import OwnExperiment, PlannedTrial
from fleet.experiment.platform_wec import platform_wec
from fleet.experiment.prepare import make_namespaces
from fleet.experiment.session import Session
from fleet.experiment.watches import labelled
from fleet.experiment.wec_scrape import scraping
from fleet.experiments.kubevirt_density import marks, series
from fleet.experiments.kubevirt_density.limits import limit_of, limited
from fleet.experiments.kubevirt_density.spec import Kind, KubeVirtDensity
from fleet.experiments.kubevirt_density.trial import Trial, Watches, emptied
from fleet.experiments.room import check_memory, check_nodes
from fleet.host.weight import MIB
from fleet.kube.resources import PODS
from fleet.managers.manager import Manager
from fleet.model.fleet_file import FleetFile
from fleet.model.run_names import trial_id
from fleet.model.stage import Stage
from fleet.observe.wec_pages import wec_pages
from fleet.platforms.kubevirt import names

PLATFORM = "kubevirt"
MEMORY_PER_VMI = 1.7 * MIB
"""What API server, etcd, KubeVirt's programs and kwok hold more per VMI: single-digit MiB per hundred at rest aside, a
run of 1,021 VMIs took 2.5 GiB of which 0.8 GiB were there before."""


@dataclass(frozen=True)
class DensityTrial(PlannedTrial):
    """One kind of object at one client limit."""

    kind: Kind = "vmi"
    qps: float | None = None
    """Of virt-controller; None: as it is."""


class KubeVirtDensityExperiment(OwnExperiment[KubeVirtDensity]):
    """The body."""

    name = "kubevirt-density"
    file = KubeVirtDensity
    own_stages = marks.STAGES

    def stages(self, spec: KubeVirtDensity) -> Sequence[Stage]:
        """Those of the kinds that the spec has."""
        with_vms = "vm" in spec.kinds
        return [stage for stage in marks.STAGES if with_vms or stage.resource != marks.VM]

    def bounded(self, spec: KubeVirtDensity, fleet: FleetFile, manager: Manager) -> Sequence[str]:
        """Its stages, and the one between two objects."""
        more = [marks.READY_STAGE.name] if "vm" in spec.kinds else []
        return [*super().bounded(spec, fleet, manager), *more]

    def plan(self, spec: KubeVirtDensity, fleet: FleetFile, manager: Manager) -> Sequence[DensityTrial]:  # noqa: ARG002
        """Kinds in the order of the file, as upstream's test has them; limits in turn, round after round."""
        wec = wec_of(fleet)
        check_nodes(fleet, f"count: {spec.count} VMIs and a primer", spec.count + 1)
        check_memory(fleet, f"count: {spec.count} VMIs", spec.count, MEMORY_PER_VMI)
        rounds = [-1] * spec.warmup + list(range(spec.repeats))
        limits: list[float | None] = list(spec.qps) or [None]
        turns = [(repeat, qps, kind) for repeat in rounds for qps in limits for kind in spec.kinds]
        return [
            DensityTrial(trial_id(n), repeat, _point(kind, qps), (wec,), f"{spec.count} {kind}s", kind, qps)
            for n, (repeat, qps, kind) in enumerate(turns)
        ]

    def needs(self, spec: KubeVirtDensity, fleet: FleetFile, trials: Sequence[DensityTrial]) -> Needs:  # noqa: ARG002
        """The WEC that has KubeVirt."""
        return Needs(frozenset({wec_of(fleet)}), frozenset())

    async def run(self, session: Session, trials: Sequence[DensityTrial]) -> None:
        """As in the protocol."""
        client = session.spaces.wecs[wec_of(session.fleet)]
        async with session.step("prepare"):
            wanted = {session.names.namespace}
            await make_namespaces(session.spaces, session.manager, session.names, wanted, pods=True)
        pages = wec_pages(session.fleet, {client.cluster: client}, series.API_SERVER, series.PROGRAMS)
        kept = await limit_of(client)
        async with (
            limited(client, kept),
            _watching(session) as watches,
            session.measuring(),
            scraping(session, pages) as scraper,
        ):
            body = Trial(session, client, watches, scraper)
            async with session.step("primer"):
                await body.primer()
            for trial in trials:
                await body.run(trial)

    async def clean(self, session: Session, trials: Sequence[DensityTrial], seconds: float) -> CleanReport:
        """VMs, VMIs, then namespaces: one that ends refuses what virt-controller still has to write."""
        for client in session.spaces.wecs.values():
            await emptied(client, session, seconds / 2)
        return await super().clean(session, trials, seconds)


def wec_of(fleet: FleetFile) -> str:
    """The first WEC that has KubeVirt; UsageError where there is none."""
    return platform_wec(fleet, PLATFORM, "KubeVirt", "wec_nodes=100")


@asynccontextmanager
async def _watching(session: Session) -> AsyncIterator[Watches]:
    """One watch per resource."""
    client = session.spaces.wecs[wec_of(session.fleet)]
    watch = partial(labelled, session, client, namespace=session.names.namespace)
    vmis, vms, pods = watch(names.VMIS, marks.VmiMarks()), watch(names.VMS, marks.of_vm), watch(PODS, marks.of_pod)
    async with vmis, vms, pods:
        yield Watches(vmis, vms, pods)


def _point(kind: str, qps: float | None) -> str:
    return f"kind={kind}" if qps is None else f"kind={kind} qps={qps:g}"


EXPERIMENT = KubeVirtDensityExperiment()
