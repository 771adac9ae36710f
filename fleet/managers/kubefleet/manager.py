"""KubeFleet as experiments see it: a ClusterResourcePlacement per policy, which takes that policy's namespace.

Objects are created in the namespace as they are. KubeFleet takes the namespace to the WECs with them, so the driver
makes it at the hub alone; a policy is settled when all its WECs have it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from fleet.errors import FleetError
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.resources import Resource
from fleet.managers.kubefleet.hops import HOPS
from fleet.managers.kubefleet.members import check_members, registrations
from fleet.managers.kubefleet.policies import Rollout, placement
from fleet.managers.kubefleet.record import PERIOD_FACT, UNAVAILABLE_FACT, record
from fleet.managers.kubefleet.rights import RIGHTS
from fleet.managers.leftovers import check_leftovers
from fleet.managers.manager import Cleaning, Manager, Plain, Policy, Registration, Spaces, Write
from fleet.managers.works import Works
from fleet.model.fleet_file import FleetFile
from fleet.model.kinds import is_returned
from fleet.model.manager_record import ManagerRecord


class KubeFleet(Plain):
    """KubeFleet 0.14. A policy's objects travel together in one snapshot, which it splits by itself where that is too
    large; its hub agent looks for new kinds every 30 s and says of none that it watches it."""

    name = "kubefleet"
    hops = HOPS
    brings_namespaces = True
    own_namespaces = True
    namespace_prefix = "testbed-run"  # KubeFleet takes no namespace anywhere that begins with `fleet-` or `kube-`
    made = (resources.CLUSTER_RESOURCE_PLACEMENTS,)
    rights = RIGHTS
    swept = ("kubefleet_hub", "kubefleet_member_hub", "kubefleet_member_wec")

    def __init__(self, rollout: Rollout | None = None) -> None:
        """`rollout`: how changes go from WEC to WEC; without, KubeFleet's defaults."""
        self.rollout = rollout or Rollout()

    def for_fleet(self, fleet: FleetFile) -> Manager:
        """With the rollout that the fleet was built with."""
        facts, known = fleet.manager.facts, Rollout()
        period = int(facts.get(PERIOD_FACT, known.period))
        return KubeFleet(Rollout(facts.get(UNAVAILABLE_FACT, known.most), period))

    def record(self, fleet: FleetFile) -> ManagerRecord:
        """What `run.json` keeps."""
        return record(fleet)

    def status_return(self, resource: Resource, clusters: int) -> str:  # noqa: ARG002 - as every manager
        """None returns; of kinds that have one, whether the object is available is reported."""
        return "report" if is_returned(resource.group, resource.plural) else "none"

    def policies(self, policy: Policy) -> Sequence[Write]:
        """One ClusterResourcePlacement."""
        return (placement(policy, self.rollout),)

    async def registrations(self, transport: KubeClient, wecs: Collection[str]) -> Mapping[str, Registration]:
        """By the conditions of their MemberClusters."""
        return await registrations(transport, wecs)

    async def check(self, spaces: Spaces) -> None:
        """Members of every hub, no policy of an earlier run, no namespace of one in a WEC."""
        for hub in spaces.transports.values():
            await check_members(hub, tuple(spaces.wecs))
        for hub in spaces.sources.values():
            await check_leftovers(hub, resources.CLUSTER_RESOURCE_PLACEMENTS, "ClusterResourcePlacements")
        await each(spaces.wecs.values(), lambda wec: check_leftovers(wec, resources.NAMESPACES, "namespaces"))

    async def remove(self, spaces: Spaces, run_id: str | None, cleaning: Cleaning, seconds: float) -> None:
        """Works of every hub go with their placement: they are waited for, since nobody else takes them off a WEC."""
        for hub in spaces.transports.values():
            try:
                why = await Works(hub, resources.FLEET_WORKS, run_id, selector=None).wait(seconds)
            except FleetError as error:  # no reason to leave what is at the other hubs
                why = str(error)
            if why:
                cleaning.left(f"{why}. A hub agent or member agent that does not run keeps them: see `fleet status`")


MANAGER = KubeFleet()
