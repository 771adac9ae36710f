"""Karmada as experiments see it: a PropagationPolicy per policy, objects as they are, and their status summed.

Karmada takes each namespace of its hub to every WEC, and refuses forever one that somebody else has made there. So the
driver leaves the WECs out, and waits until they have it: an object that comes first is tried again ever more slowly.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from fleet.errors import FleetError
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.resources import Resource
from fleet.kube.waiting import wait_for_accounts
from fleet.managers.karmada.hops import HOPS
from fleet.managers.karmada.members import check_members, registrations
from fleet.managers.karmada.policies import propagation_policy
from fleet.managers.karmada.record import MODE_FACT, PULL, record
from fleet.managers.karmada.rights import RIGHTS
from fleet.managers.leftovers import check_leftovers
from fleet.managers.manager import Cleaning, Manager, Plain, Policy, Registration, Spaces, Write
from fleet.managers.works import Work, Works
from fleet.model.fleet_file import FleetFile
from fleet.model.kinds import is_returned
from fleet.model.manager_record import ManagerRecord

NAMESPACE_SECONDS = 120.0
HINT = "A controller-manager or agent that does not run keeps them: see `fleet status`"
WORK_BINDING_ANNOTATIONS = ("resourcebinding.karmada.io/namespace", "resourcebinding.karmada.io/name")


class Karmada(Plain):
    """Karmada 1.16. How many calls an object costs no source states, so that it refuses no load; it looks for new kinds
    every 30 s and says of none that it watches it."""

    name = "karmada"
    hops = HOPS
    brings_namespaces = True
    made = (resources.PROPAGATION_POLICIES,)
    rights = RIGHTS

    def __init__(self, mode: str = PULL) -> None:
        """`mode`: who writes into the WECs, their agents or the hub's controller-manager."""
        ends = ("karmada_agent_hub", "karmada_agent_wec") if mode == PULL else ("karmada_controller_wec",)
        self.swept: Collection[str] = ("karmada_controller", "karmada_scheduler", *ends)

    def for_fleet(self, fleet: FleetFile) -> Manager:
        """In the mode that the fleet was built with."""
        return Karmada(fleet.manager.facts.get(MODE_FACT, PULL))

    def record(self, fleet: FleetFile) -> ManagerRecord:
        """What `run.json` keeps."""
        return record(fleet)

    def status_return(self, resource: Resource, clusters: int) -> str:  # noqa: ARG002 - as every manager
        """Summed where its rule is known here, else as each WEC reports it; none for kinds without a status."""
        return "aggregate" if is_returned(resource.group, resource.plural) else "none"

    def policies(self, policy: Policy) -> Sequence[Write]:
        """One PropagationPolicy."""
        return (propagation_policy(policy),)

    async def registrations(self, transport: KubeClient, wecs: Collection[str]) -> Mapping[str, Registration]:
        """By the conditions of their Clusters."""
        return await registrations(transport, wecs)

    async def check(self, spaces: Spaces) -> None:
        """Members of every hub, no policy of an earlier run, no namespace of one in a WEC."""
        for hub in spaces.transports.values():
            await check_members(hub, tuple(spaces.wecs))
        for hub in spaces.sources.values():
            await check_leftovers(hub, resources.PROPAGATION_POLICIES, "PropagationPolicies")
        await each(spaces.wecs.values(), lambda wec: check_leftovers(wec, resources.NAMESPACES, "namespaces"))

    async def prepare(self, spaces: Spaces, namespaces: Collection[str], labels: Mapping[str, str]) -> None:  # noqa: ARG002
        """Wait until each WEC has them, each with the account that its Pods need."""

        async def brought(wec: KubeClient) -> None:
            what = "the run's namespaces, which Karmada brings"
            await wait_for_accounts(wec, namespaces, what, timeout=NAMESPACE_SECONDS)

        await each(spaces.wecs.values(), brought)

    async def remove(self, spaces: Spaces, run_id: str | None, cleaning: Cleaning, seconds: float) -> None:
        """Works of every hub; those whose ResourceBinding is gone are deleted."""
        for hub in spaces.transports.values():
            try:
                works = Works(hub, resources.KARMADA_WORKS, run_id, selector=None, aside=_of_namespace)
                await works.clear(partial(_owned, hub), cleaning, seconds=seconds, hint=HINT)
            except FleetError as error:  # no reason to leave what is at the other hubs
                cleaning.left(str(error))


async def _owned(hub: KubeClient) -> Callable[[Work], bool]:
    """Whether the ResourceBinding that a Work is of still exists."""
    found = await hub.list_all(resources.RESOURCE_BINDINGS)
    keys = {(item["metadata"]["namespace"], item["metadata"]["name"]) for item in found}
    return lambda work: _binding_of(work) in keys


def _binding_of(work: Work) -> tuple[str, str]:
    """Namespace and name of the ResourceBinding that a Work is of."""
    annotations = work["metadata"].get("annotations") or {}
    namespace, name = (str(annotations.get(key, "")) for key in WORK_BINDING_ANNOTATIONS)
    return namespace, name


def _of_namespace(work: Work) -> bool:
    """Whether it holds a namespace, which goes with the hub's."""
    held = work.get("spec", {}).get("workload", {}).get("manifests") or []
    return any(one.get("kind") == resources.NAMESPACES.kind for one in held)


MANAGER = Karmada()
