"""Where an experiment with a body of its own writes objects for a WEC: into it, or at its manager's source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fleet.errors import DeadlineError, UsageError
from fleet.experiment.session import Session
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.errors import NotFound
from fleet.kube.resources import Resource
from fleet.kube.waiting import wait_for_objects
from fleet.managers.manager import Manager, Policy, Write
from fleet.model.fleet_file import FleetFile
from fleet.model.run_names import POLICY_LABEL

Through = Literal["direct", "manager"]


@dataclass(frozen=True)
class Route:
    """The way of objects for one WEC."""

    wec: str
    client: KubeClient
    """Of the cluster where they are written."""
    wrap: Manager | None = None
    policy: Policy | None = None

    def write(self, resource: Resource, body: Mapping[str, Any]) -> Write:
        """As it is sent: labelled for its policy, wrapped where the manager wraps."""
        meta = body["metadata"]
        if self.wrap is None or self.policy is None:
            return Write(resource, meta["name"], meta["namespace"], body)
        labels = {**(meta.get("labels") or {}), **policy_label(self.policy)}
        whole = {**body, "metadata": {**meta, "labels": labels}}
        return self.wrap.wrap(self.policy, Write(resource, meta["name"], meta["namespace"], whole))


def policy_label(policy: Policy) -> dict[str, str]:
    """By which the policy selects an object."""
    return {POLICY_LABEL: policy.name}


def chosen(fleet: FleetFile, clusters: int | Literal["all"]) -> tuple[str, ...]:
    """The first so many WECs; UsageError with both numbers when the fleet has fewer."""
    names = tuple(cluster.name for cluster in fleet.wecs())
    wanted = len(names) if clusters == "all" else clusters
    if not names or wanted > len(names):
        raise UsageError(f"clusters: {wanted} are wanted, the fleet has {len(names)} WECs: lower it, or grow the fleet")
    return names[:wanted]


def check(through: Through, manager: Manager) -> None:
    """UsageError when there is no manager to go through."""
    if through == "manager" and not manager.roles():
        raise UsageError(f"through: the fleet has no manager ({manager.name}): write `direct`, or give it one")


async def opened(session: Session, through: Through, wecs: Sequence[str], kinds: Sequence[Resource]) -> list[Route]:
    """A route per WEC, its policies made and proven by an object of each: DeadlineError when one does not arrive within
    `timeouts.settle`. The run's namespaces exist."""
    if through == "direct":
        return [Route(wec, session.spaces.wecs[wec]) for wec in wecs]
    manager, names = session.manager, session.names
    source, client = next(iter(session.spaces.sources.items()))
    routes = []
    for wec in wecs:
        policy = Policy(
            name=names.policy(0, wec), target=wec, clusters=(wec,), layout="one-to-one",
            resources=tuple(dict.fromkeys([*kinds, resources.CONFIGMAPS])), namespace=names.namespace,
            labels=tuple(names.labels().items()), source=source,
        )  # fmt: skip
        for write in manager.policies(policy):
            await client.create(write.resource, write.body, write.namespace, retry=True)
        routes.append(Route(wec, client, manager, policy))
    await each(routes, lambda route: _prove(session, route))
    return routes


async def _prove(session: Session, route: Route) -> None:
    """An object that went the whole way says more than any condition of a policy."""
    names, seconds = session.names, session.spec.timeouts.settle
    name = f"probe-{route.wec}"
    body = {"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": names.namespace, "labels": names.labels()}}  # fmt: skip
    write = route.write(resources.CONFIGMAPS, body)
    await route.client.create(write.resource, write.body, write.namespace, retry=True)

    async def there(*, wanted: bool) -> None:
        await wait_for_objects(
            session.spaces.wecs[route.wec], resources.CONFIGMAPS, lambda found: bool(found) == wanted,
            field_selector=f"metadata.name={name}", timeout=seconds,
            what=f"the probe {name}, which its policy must {'bring' if wanted else 'take'}",
            missing=lambda _: [name],
        )  # fmt: skip

    try:
        await there(wanted=True)
    except DeadlineError as error:
        raise DeadlineError(f"{error}. Do the manager's programs run? See `fleet status`") from error
    try:
        await route.client.delete(write.resource, write.name, write.namespace)
    except NotFound:
        return
    await there(wanted=False)
