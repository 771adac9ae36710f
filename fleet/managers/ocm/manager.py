"""Plain OCM as experiments see it: a Placement per policy, a ManifestWorkReplicaSet per object, feedback of statuses.

Both lie in the run's namespace on the hub. The work agent applies an object only where its namespace exists, so the
driver makes that in the WECs too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from fleet.errors import FleetError
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.errors import AlreadyExists, NotFound
from fleet.kube.resources import Resource
from fleet.managers.leftovers import check_leftovers
from fleet.managers.manager import Cleaning, Manager, Plain, Policy, Registration, Spaces, Write
from fleet.managers.ocm import placing
from fleet.managers.ocm.hops import HOPS, SET_LABEL
from fleet.managers.ocm.members import check_members, registrations
from fleet.managers.ocm.record import SCRAPE_FACT, record
from fleet.managers.ocm.rights import RIGHTS
from fleet.managers.works import Work, Works
from fleet.model.fleet_file import FleetFile
from fleet.model.manager_record import ManagerRecord
from fleet.model.run_names import RUN_LABEL

HINT = "A work manager or agent that does not run keeps them: see `fleet status`"


class Ocm(Plain):
    """OCM 1.2. Names are judged while the objects are wrapped, and its hub need not serve what it only wraps; no limit
    of its own is known to stop a load forever."""

    name = "ocm"
    hops = HOPS
    wraps = True
    made = (resources.MANIFEST_WORK_REPLICA_SETS, resources.PLACEMENTS)
    rights = RIGHTS
    swept = ("ocm_work_manager",)

    def __init__(self, scrape: str = "") -> None:
        """`scrape`: `feedbackScrapeType` of the feedback rules, `Poll` or `Watch`; empty: OCM's own choice."""
        self.scrape = scrape

    def for_fleet(self, fleet: FleetFile) -> Manager:
        """With the way of scraping that the fleet was built with."""
        return Ocm(scrape=fleet.manager.facts.get(SCRAPE_FACT, ""))

    def record(self, fleet: FleetFile) -> ManagerRecord:
        """What `run.json` keeps."""
        return record(fleet)

    def status_return(self, resource: Resource, clusters: int) -> str:  # noqa: ARG002 - as every manager
        """Some fields of each WEC's, in the ManifestWorks; none for kinds without rules."""
        return "report" if placing.has_feedback(resource) else "none"

    def policies(self, policy: Policy) -> Sequence[Write]:
        """One Placement."""
        return (placing.placement(policy),)

    def wrap(self, policy: Policy, write: Write) -> Write:
        """In a ManifestWorkReplicaSet of its own."""
        return placing.replica_set(policy, write, self.scrape)

    async def registrations(self, transport: KubeClient, wecs: Collection[str]) -> Mapping[str, Registration]:
        """By the conditions of their ManagedClusters."""
        return await registrations(transport, wecs)

    async def check(self, spaces: Spaces) -> None:
        """Members of every hub, the set of all clusters, no Placement of an earlier run."""
        for hub in spaces.transports.values():
            await check_members(hub, tuple(spaces.wecs))
        for hub in spaces.sources.values():
            try:
                await hub.get(resources.MANAGED_CLUSTER_SETS, placing.CLUSTER_SET)
            except NotFound as error:
                raise FleetError(
                    f"{hub.cluster}: there is no ManagedClusterSet {placing.CLUSTER_SET}, from which Placements "
                    "select. OCM's registration controller makes it: see `fleet status`"
                ) from error
            await check_leftovers(hub, resources.PLACEMENTS, "Placements")

    async def prepare(self, spaces: Spaces, namespaces: Collection[str], labels: Mapping[str, str]) -> None:
        """Let Placements in the run's namespaces select from all clusters."""

        async def bind(hub: KubeClient) -> None:
            for namespace in sorted(namespaces):
                body = placing.set_binding(namespace, dict(labels))
                try:
                    await hub.create(resources.MANAGED_CLUSTER_SET_BINDINGS, body)
                except AlreadyExists:  # by an attempt whose answer was lost
                    continue

        await each(spaces.sources.values(), bind)

    async def remove(self, spaces: Spaces, run_id: str | None, cleaning: Cleaning, seconds: float) -> None:
        """ManifestWorks of every hub; those whose set is gone are deleted."""
        for hub in spaces.transports.values():
            try:
                works = Works(hub, resources.MANIFEST_WORKS, run_id, selector=RUN_LABEL)
                await works.clear(partial(_owned, hub), cleaning, seconds=seconds, hint=HINT)
            except FleetError as error:  # no reason to leave what is at the other hubs
                cleaning.left(str(error))


async def _owned(hub: KubeClient) -> Callable[[Work], bool]:
    """Whether the set that a ManifestWork is of still exists."""
    found = await hub.list_all(resources.MANIFEST_WORK_REPLICA_SETS)
    keys = {f"{item['metadata']['namespace']}.{item['metadata']['name']}" for item in found}
    return lambda work: (work["metadata"].get("labels") or {}).get(SET_LABEL, "") in keys


MANAGER = Ocm()
