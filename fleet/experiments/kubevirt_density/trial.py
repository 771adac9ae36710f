"""One trial: created one after another, all Running, deleted in batches; and the primer before the first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleet.errors import DeadlineError, KubeError
from fleet.experiment.batches import delete_in_batches
from fleet.experiment.session import Session
from fleet.experiment.wec_scrape import audit_log, count_agents, weigh_memory
from fleet.experiments.kubevirt_density import marks, objects
from fleet.experiments.kubevirt_density.audit import audited
from fleet.experiments.kubevirt_density.limits import set_limit
from fleet.kube.client import KubeClient
from fleet.kube.errors import AlreadyExists, refused_for_good
from fleet.kube.resources import NODES, Resource
from fleet.model.stage import READY_AGAIN, UNREADY
from fleet.observe.marks import CREATED, DELETED, Health, MarkWatch
from fleet.observe.metrics import Scraper
from fleet.platforms.kubevirt import names

if TYPE_CHECKING:
    from fleet.experiments.kubevirt_density.experiment import DensityTrial

PRIMER = "primer"
PRIMER_SECONDS = 120.0
AGAIN_SECONDS = 1.0
"""From a creation that was refused to the next attempt; so long as `timeouts.object` lasts."""
WELL_SECONDS = 120.0
"""For what a fault made not ready to be ready again, after the fault was healed."""
KINDS: dict[str, tuple[Resource, Callable[..., dict[str, Any]]]] = {
    "vmi": (names.VMIS, objects.vmi),
    "vm": (names.VMS, objects.vm),
}


@dataclass(frozen=True)
class Watches:
    """What the run sees of its objects."""

    vmis: MarkWatch
    vms: MarkWatch
    pods: MarkWatch

    def of(self, kind: str) -> MarkWatch:
        """Of the objects that a trial creates."""
        return self.vms if kind == "vm" else self.vmis


@dataclass
class Creation:
    """Attempts to create one object."""

    client: KubeClient
    resource: Resource
    body: dict[str, Any]
    namespace: str
    attempts: int = 0
    final: bool = False
    """The last was refused for good: another would be too."""

    async def attempt(self) -> None:
        """One more. A name that is taken after an attempt without an answer: that attempt had arrived."""
        self.attempts += 1
        try:
            await self.client.create(self.resource, self.body, self.namespace)
        except AlreadyExists:
            self.final = self.attempts == 1
            if self.final:
                raise
        except KubeError as error:
            self.final = refused_for_good(error.status or 0)
            raise


class Trial:
    """The trials of one run."""

    def __init__(self, session: Session, client: KubeClient, watches: Watches, scraper: Scraper) -> None:
        self._session = session
        self._client = client
        self._watches = watches
        self._scraper = scraper

    async def primer(self) -> None:
        """One VMI, Running, before anything is measured: caches are warm then. It stays, as in upstream's test."""
        session, namespace = self._session, self._session.names.namespace
        body = objects.vmi(PRIMER, session.names.labels(trial=PRIMER))
        await self._client.create(names.VMIS, body, namespace, retry=True)
        vmis = self._watches.vmis
        if not await vmis.until(lambda: vmis.count(marks.RUNNING, PRIMER) > 0, timeout=PRIMER_SECONDS):
            raise DeadlineError(f"{self._client.cluster}: the primer VMI was not Running within {PRIMER_SECONDS:.0f} s")
        await asyncio.sleep(session.spec.primer_wait)

    async def run(self, trial: DensityTrial) -> None:
        """From the first creation until everything is gone."""
        session, spec = self._session, self._session.spec
        for watch in (self._watches.vmis, self._watches.vms, self._watches.pods):
            watch.trial = trial.id
        if trial.qps is not None:
            await set_limit(self._client, trial.qps)
        await self._scraper.scrape()
        log, began = audit_log(session, self._client.cluster), time.time()
        async with session.trial(trial):
            session.expect(trial.id, marks.POD, spec.count, cluster=self._client.cluster)
            if trial.kind == "vm":
                session.expect(trial.id, marks.VMI, spec.count, cluster=self._client.cluster)
            async with self._health(trial):
                async with session.disturbed(trial):
                    async with session.step("load", trial.id, measured=True):
                        accepted = await self._create(trial)
                    async with session.step("drain", trial.id, measured=True):
                        await self._all_run(trial, accepted)
                await self._all_well()
            await session.sampling.sample()
            await weigh_memory(session, trial.id)
            ran = time.time()
            async with session.step("delete", trial.id, measured=True):
                await self._delete(trial)
            await self._scraper.scrape()
            await session.sampling.sample()
            await count_agents(session, log, trial.id)
        await audited(session, trial.id, began, ran)

    @asynccontextmanager
    async def _health(self, trial: DensityTrial) -> AsyncIterator[None]:
        """Nodes are watched while faults may make one not ready."""
        session = self._session
        if not session.spec.during:
            yield
            return
        nodes = MarkWatch(self._client, NODES, Health().of, session.recorder, trial=trial.id)
        session.reflectors.append(nodes.reflector)
        async with nodes:
            yield

    async def _all_well(self) -> None:
        """Until every VMI that a fault made not ready is ready again."""
        vmis = self._watches.vmis

        def well() -> bool:
            return vmis.count(READY_AGAIN) >= vmis.count(UNREADY)

        if not await vmis.until(well, timeout=WELL_SECONDS):
            text = f"{vmis.count(UNREADY) - vmis.count(READY_AGAIN)} VMIs that ran were not ready again"
            self._session.recorder.anomaly("not-ready-again", text, cluster=self._client.cluster)

    async def _create(self, trial: DensityTrial) -> int:
        """An open loop: each at its moment, whatever the answers do; one that is refused is tried again. Returns how
        many were accepted."""
        session, spec = self._session, self._session.spec
        resource, body = KINDS[trial.kind]
        labels, namespace = session.names.labels(trial=trial.id), session.names.namespace
        began, end = time.monotonic_ns(), time.monotonic() + spec.timeouts.object

        async def one(number: int, due_ns: int) -> bool:
            name = f"{trial.id}-{trial.kind}-{number:05d}"
            creation = Creation(self._client, resource, body(name, labels), namespace)
            while not await session.request(
                trial.id, "create", self._client.cluster, creation.attempt,
                str(resource), name, namespace, due_ns=due_ns,
            ):  # fmt: skip
                if creation.final or time.monotonic() > end:
                    return False
                await asyncio.sleep(AGAIN_SECONDS)
            return True

        sends = []
        async with asyncio.TaskGroup() as group:
            for number in range(spec.count):
                due_ns = began + round(number * spec.interval * 1e9)
                await asyncio.sleep(max(0.0, (due_ns - time.monotonic_ns()) / 1e9))
                sends.append(group.create_task(one(number, due_ns)))
        return sum(send.result() for send in sends)

    async def _all_run(self, trial: DensityTrial, accepted: int) -> None:
        """Until every one that was accepted runs, or has failed, or its time is up: then what lacks is missing from the
        samples."""
        spec, watch = self._session.spec, self._watches.of(trial.kind)
        last = marks.READY if trial.kind == "vm" else marks.RUNNING

        def all_run() -> bool:
            there = watch.count(last, trial.id)
            self._session.progress.marks(there, spec.count)
            return there + self._watches.vmis.count(marks.FAILED, trial.id) >= accepted

        if not await watch.until(all_run, timeout=spec.timeouts.object):
            text = (
                f"{watch.count(last, trial.id)} of {spec.count} {trial.kind}s ran within {spec.timeouts.object:.0f} s"
            )
            self._session.recorder.anomaly("not-running", text, cluster=self._client.cluster)

    async def _delete(self, trial: DensityTrial) -> None:
        """In batches; what they own goes too."""
        session, spec, vmis = self._session, self._session.spec, self._watches.vmis
        watch, (resource, _) = self._watches.of(trial.kind), KINDS[trial.kind]
        there = watch.count(CREATED, trial.id)
        end = time.monotonic() + spec.timeouts.clean
        await delete_in_batches(
            session, self._client, watch, resource, trial.id, batch=spec.batch, seconds=spec.timeouts.clean
        )
        left = max(0.0, end - time.monotonic())
        pods = self._watches.pods

        def gone() -> bool:
            return all(w.count(DELETED, trial.id) >= w.count(CREATED, trial.id) for w in (watch, vmis, pods))

        if not await watch.until(gone, timeout=left):
            text = f"{there - watch.count(DELETED, trial.id)} of {there} {trial.kind}s were not gone"
            session.recorder.anomaly("not-deleted", text, cluster=self._client.cluster)


async def emptied(client: KubeClient, session: Session, seconds: float) -> None:
    """Delete the run's VMs and VMIs and wait so long until they are gone; what stays goes with its namespace."""
    end = time.monotonic() + seconds
    for resource in (names.VMS, names.VMIS):
        try:
            while await client.list_all(resource, session.names.namespace, label_selector=session.names.selector()):
                if time.monotonic() > end:
                    return
                await client.delete_collection(
                    resource, session.names.namespace, label_selector=session.names.selector()
                )
                await asyncio.sleep(1.0)
        except KubeError as error:
            session.progress.note(f"{client.cluster}: {resource}: {error}")
            return
