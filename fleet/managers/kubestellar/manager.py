"""KubeStellar as experiments see it: BindingPolicies at a WDS, ManifestWorks at an ITS, statuses that come back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from fleet.errors import FleetError
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.resources import Resource
from fleet.managers.kubestellar import feasible, policies, watched, works
from fleet.managers.kubestellar.hops import HOPS
from fleet.managers.kubestellar.record import record
from fleet.managers.kubestellar.rights import RIGHTS
from fleet.managers.leftovers import check_leftovers
from fleet.managers.manager import Burden, Cleaning, Plain, Policy, Registration, Spaces, Write
from fleet.managers.ocm.members import check_members, registrations
from fleet.model.fleet_file import FleetFile
from fleet.model.manager_record import ManagerRecord


class KubeStellar(Plain):
    """KubeStellar 0.30."""

    name = "kubestellar"
    hops = HOPS
    made = (resources.BINDING_POLICIES,)
    many_sources = True
    rights = RIGHTS
    swept = ("transport_its", "transport_wds")

    def record(self, fleet: FleetFile) -> ManagerRecord:
        """What `run.json` keeps."""
        return record(fleet)

    def roles(self) -> Mapping[str, str]:
        """WDSes and ITSes."""
        return {"source": "wds", "transport": "its"}

    def status_return(self, resource: Resource, clusters: int) -> str:
        """A copy of one WEC's, an aggregate over several, or reports alone."""
        return policies.status_return(resource, clusters)

    def policies(self, policy: Policy) -> Sequence[Write]:
        """One BindingPolicy."""
        return (policies.binding_policy(policy),)

    def check_load(self, burden: Burden) -> None:
        """By the floors of its token buckets, and by what etcd takes."""
        feasible.check_burden(burden)

    async def registrations(self, transport: KubeClient, wecs: Collection[str]) -> Mapping[str, Registration]:
        """By the conditions of their ManagedClusters."""
        return await registrations(transport, wecs)

    async def check(self, spaces: Spaces) -> None:
        """Members of every ITS, no BindingPolicy of an earlier run."""
        for its in spaces.transports.values():
            await check_members(its, tuple(spaces.wecs))
        for wds in spaces.sources.values():
            await check_leftovers(wds, resources.BINDING_POLICIES, "policies")

    async def kind_added(self, source: KubeClient, resource: Resource) -> None:
        """Until its controller-manager watches the kind."""
        await watched.wait_watched(source, resource.plural)

    async def remove(self, spaces: Spaces, run_id: str | None, cleaning: Cleaning, seconds: float) -> None:
        """ManifestWorks of every ITS, one after the other."""
        for its in spaces.transports.values():
            try:
                await works.remove_works(its, spaces, run_id, cleaning, seconds=seconds)
            except FleetError as error:  # no reason to leave what is at the other ITSes
                cleaning.left(str(error))


MANAGER = KubeStellar()
