"""MultiKueue as experiments see it: it dispatches Jobs to one of many workers, and distributes nothing by policies.

Which worker a Job goes to is decided when it is there, so that no plan can say where an object must come to; the
experiment `job-dispatch` measures it, and those that distribute a workload by policies are refused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from fleet.errors import FleetError
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.resources import Resource
from fleet.managers.leftovers import check_leftovers
from fleet.managers.manager import Cleaning, Plain, Policy, Registration, Spaces, Write
from fleet.managers.multikueue import names
from fleet.managers.multikueue.hops import HOPS
from fleet.managers.multikueue.members import check_members, registrations
from fleet.managers.multikueue.record import record
from fleet.managers.multikueue.rights import RIGHTS
from fleet.model.fleet_file import FleetFile
from fleet.model.manager_record import ManagerRecord
from fleet.model.run_names import RUN_LABEL
from fleet.platforms.kueue import names as kueue

HINT = "Kueue's program at the hub takes them off the workers: see `fleet status`"


class MultiKueue(Plain):
    """Kueue v0.17.0. It has no layout, so that no experiment with policies comes to its load; queues are the
    experiment's."""

    name = "multikueue"
    layouts = ()
    hops = HOPS
    made = (kueue.CLUSTER_QUEUES, names.CHECKS, names.CONFIGS)
    rights = RIGHTS
    swept = ("multikueue_hub", "multikueue_dispatch", "multikueue_worker")

    def record(self, fleet: FleetFile) -> ManagerRecord:
        """What `run.json` keeps."""
        return record(fleet)

    def status_return(self, resource: Resource, clusters: int) -> str:  # noqa: ARG002 - as every manager
        """A Job at the hub has the status of the one that runs."""
        return "copy" if resource == resources.JOBS else "none"

    def policies(self, policy: Policy) -> Sequence[Write]:  # noqa: ARG002 - as every manager
        """None."""
        return ()

    async def registrations(self, transport: KubeClient, wecs: Collection[str]) -> Mapping[str, Registration]:
        """By the conditions of their MultiKueueClusters."""
        return await registrations(transport, wecs)

    async def check(self, spaces: Spaces) -> None:
        """Workers of every hub, no queue of an earlier run, no namespace of one in a WEC."""
        for hub in spaces.transports.values():
            await check_members(hub, tuple(spaces.wecs))
        for hub in spaces.sources.values():
            await check_leftovers(hub, kueue.CLUSTER_QUEUES, "ClusterQueues")
        await each(spaces.wecs.values(), lambda wec: check_leftovers(wec, resources.NAMESPACES, "namespaces"))

    async def remove(self, spaces: Spaces, run_id: str | None, cleaning: Cleaning, seconds: float) -> None:  # noqa: ARG002
        """The hub takes deleted Jobs off their workers; those that it forgot are deleted there."""
        selector = RUN_LABEL if run_id is None else f"{RUN_LABEL}={run_id}"

        async def one(wec: KubeClient) -> None:
            try:
                left = await wec.list_all(resources.JOBS, label_selector=selector)
                for item in left:
                    meta = item["metadata"]
                    await wec.delete(resources.JOBS, meta["name"], meta["namespace"], propagation="Background")
                cleaning.took(wec, resources.JOBS, len(left))
            except FleetError as error:  # no reason to leave what is in the other WECs
                cleaning.left(f"{error}. {HINT}")

        await each(spaces.wecs.values(), one)


MANAGER = MultiKueue()
