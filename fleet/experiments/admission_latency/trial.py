"""One trial: a policy set that acts, pods created by the load client, and everything gone again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleet.analysis.webhook_table import METRIC
from fleet.errors import KubeError, MeasurementError
from fleet.experiment.load_client import PROGRAM, LoadClient
from fleet.experiment.session import Session
from fleet.experiment.wec_scrape import audit_log, count_agents, weigh_memory
from fleet.experiments.admission_latency.marks import CALLS, CLIENT_CPU, LOAD
from fleet.experiments.admission_latency.pods import Pod, pod
from fleet.experiments.admission_latency.policies import acts, put_in, take_out
from fleet.experiments.admission_latency.sets import NONE, SETS, PolicySet
from fleet.experiments.admission_latency.spec import AdmissionLatency, Load
from fleet.install.waiting import until
from fleet.kube.client import KubeClient
from fleet.kube.errors import NotFound
from fleet.kube.resources import PODS, Resource
from fleet.observe.metrics import Scraper
from fleet.platforms.kyverno.names import EPHEMERAL_REPORTS, POLICY_REPORTS

if TYPE_CHECKING:
    from fleet.experiments.admission_latency.experiment import AdmissionTrial

REQUEST_SECONDS = 60.0
"""Of one request; an API server gives up after as long."""
EVERY_RULE = PolicySet(
    "all", "what some set enforces", rules=tuple(dict.fromkeys(rule for one in SETS.values() for rule in one.rules))
)
NAME = "$name"
"""Where the load client writes an object's name."""


@dataclass(frozen=True)
class Trials:
    """The trials of one run."""

    session: Session
    client: KubeClient
    loads: LoadClient
    cluster: Mapping[str, str]
    """Where the load client finds the API server."""
    node: str
    """All pods are on it."""
    scraper: Scraper

    async def primer(self) -> None:
        """Pods by one client and without a policy: caches are warm then. Nothing is recorded of them."""
        spec: AdmissionLatency = self.session.spec
        await acts(self.client, SETS[NONE], self._pod("probe"), EVERY_RULE)
        await self._create("primer", Load(1), spec.primer)
        await self.gone("primer")

    async def run(self, trial: AdmissionTrial) -> None:
        """The trial begins when the set acts, and ends when its pods and all reports about them are gone."""
        session, chosen = self.session, SETS[trial.policies]
        await put_in(self.client, chosen, session.names.labels())
        async with session.step("policies", trial.id):
            await acts(self.client, chosen, self._pod("probe"), EVERY_RULE)
        await asyncio.sleep(session.spec.rest)
        await self.scraper.scrape()
        await session.sampling.sample()
        log, before = audit_log(session, self.client.cluster), calls(await self.client.metrics())
        async with session.trial(trial):
            async with session.disturbed(trial), session.step(LOAD, trial.id):
                cpu = await self._create(trial.id, trial.load, session.spec.objects)
            session.measured(CLIENT_CPU, cpu, "s", trial=trial.id)
            made = calls(await self.client.metrics()) - before
            session.measured(CALLS, made / session.spec.objects, "per pod", trial=trial.id)
            await session.sampling.sample()
            await weigh_memory(session, trial.id)
            async with session.step("delete", trial.id):
                await take_out(self.client, session.names.labels())
                await self.gone(trial.id)
            await self.scraper.scrape()
            await session.sampling.sample()
            await count_agents(session, log, trial.id)

    async def gone(self, trial: str = "") -> None:
        """Delete the run's pods and Kyverno's reports about them, until none is left; what stays is an anomaly."""
        session = self.session
        left: dict[str, int] = {}

        async def none() -> bool:
            left.clear()
            for resource in (PODS, EPHEMERAL_REPORTS, POLICY_REPORTS):
                if there := len(await self._listed(resource)):
                    left[resource.plural] = there
                    await self._delete(trial, resource)
            return not left

        await until(none, session.spec.timeouts.clean, lambda: f"{self.client.cluster}: not gone: {left}")

    async def _delete(self, trial: str, resource: Resource) -> None:
        namespace = self.session.names.namespace
        path, params = resource.path(namespace=namespace), {"gracePeriodSeconds": "0"}
        await self.session.request(
            trial, "delete-collection", self.client.cluster,
            lambda: self.client.request("DELETE", path, params=params, retry=True), str(resource), namespace=namespace,
        )  # fmt: skip

    async def _listed(self, resource: Resource) -> list[dict[str, Any]]:
        try:
            return list(await self.client.list_all(resource, self.session.names.namespace))
        except NotFound:  # of a Kyverno without that kind
            return []

    def _pod(self, name: str) -> Pod:
        names = self.session.names
        made = pod(name, self.node, names.labels())
        made["metadata"]["namespace"] = names.namespace
        return made

    async def _create(self, prefix: str, load: Load, objects: int) -> float:
        """Until all are answered; the CPU seconds of the load client."""
        session = self.session
        order = {
            "cluster": dict(self.cluster),
            "path": PODS.path(namespace=session.names.namespace),
            "body": json.dumps(self._pod(NAME)),
            "prefix": f"{prefix}-",
            "model": "open" if load.rate else "closed",
            "clients": load.clients,
            "rate": load.rate,
            "objects": objects,
            "timeout": REQUEST_SECONDS,
            "raw": str(session.folder.raw(f"{prefix}-create.csv.gz")),
        }
        result: dict[str, Any] = {}

        def heard(line: Mapping[str, Any]) -> None:
            if line["event"] == "result":
                result.update(line)

        log = session.folder.raw(f"{prefix}-create.jsonl")
        seconds = session.spec.timeouts.object
        await self.loads.run("create", order, log=log, seconds=seconds, heard=heard, started=lambda _: None)
        if not result:
            raise MeasurementError(f"{PROGRAM} create ended without a result")
        return float(result["usage"]["cpu_seconds"])


def calls(page: str) -> float:
    """Calls of webhooks for creations, of an API server's metrics page."""
    begins = f"{METRIC}_count{{"
    counted = (line for line in page.splitlines() if line.startswith(begins) and 'operation="CREATE"' in line)
    return sum(float(line.rpartition(" ")[2]) for line in counted)


async def emptied(client: KubeClient, session: Session) -> None:
    """At the end of a run, however it ended: our policies first, so that nothing refuses what cleans up."""
    try:
        await take_out(client, session.names.labels())
    except KubeError as error:
        session.progress.note(f"{client.cluster}: policies: {error}")
