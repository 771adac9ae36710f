"""Before a run on clusters that exist already: may the credentials that we were given do what the run needs?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fleet.errors import UsageError
from fleet.experiment.rights import needed
from fleet.kube.client import KubeClient
from fleet.kube.resources import Resource
from fleet.managers import registry
from fleet.managers.manager import Spaces
from fleet.managers.rights import Right
from fleet.model.fleet_file import FleetFile
from fleet.model.manager_record import Space

REVIEWS = Resource(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False
)
AT_ONCE = 8
"""Reviews under way at one API server."""
ALL = Right("wec", ("*",), group="*", resource="*")


async def check_access(fleet: FleetFile, spaces: Spaces, kinds: Sequence[Resource], *, crds: bool = False) -> None:
    """UsageError that names every right that is missing, by cluster; nothing but reviews is asked.

    Only clusters that the fleet did not build are asked: of its own it has the admin's credentials.
    """
    existing = {cluster.name for cluster in fleet.clusters if not cluster.built}
    if not existing:
        return
    rights = needed(registry.of(fleet), kinds, crds=crds)
    asked = [(space, client) for space, client in _clients(spaces) if client.cluster in existing]
    answers = await asyncio.gather(
        *(missing(client, [one for one in rights if one.space == space]) for space, client in asked)
    )
    lines = [
        f"{client.cluster} ({space}): may not {'; '.join(_said(one) for one in found)}"
        for (space, client), found in zip(asked, answers, strict=True)
        if found
    ]
    if lines:
        options = f"--manager {fleet.manager.name}" + "".join(f" --kind {kind}" for kind in kinds)
        raise UsageError("\n".join([*lines, f"`fleet rbac {options}` prints what is needed. Nothing was changed."]))


def _clients(spaces: Spaces) -> Iterator[tuple[Space, KubeClient]]:
    """Each with its space; of a fleet without a hub, WECs alone."""
    for name, client in spaces.sources.items():
        if name not in spaces.wecs:
            yield "source", client
    for client in spaces.transports.values():
        yield "transport", client
    for client in spaces.wecs.values():
        yield "wec", client


async def missing(client: KubeClient, rights: Sequence[Right]) -> list[Right]:
    """Those rights, each with the verbs alone that this client's user does not have; optional ones are not requested.

    KubeError when the server cannot be asked.
    """
    gate = asyncio.Semaphore(AT_ONCE)

    async def allowed(one: Right, verb: str) -> bool:
        async with gate:
            review = await client.create(REVIEWS, _review(one, verb))
        return bool((review.get("status") or {}).get("allowed"))

    if await allowed(ALL, "*"):  # an administrator: one review instead of dozens
        return []
    pairs = [(one, verb) for one in rights if not one.optional for verb in one.verbs]
    answers = await asyncio.gather(*(allowed(one, verb) for one, verb in pairs))
    refused: dict[Right, list[str]] = {}
    for (one, verb), may in zip(pairs, answers, strict=True):
        if not may:
            refused.setdefault(one, []).append(verb)
    return [Right(one.space, tuple(verbs), one.group, one.resource, one.url) for one, verbs in refused.items()]


def _said(one: Right) -> str:
    return f"{', '.join(one.verbs)} {one}"


def _review(one: Right, verb: str) -> Mapping[str, Any]:
    resource, _, subresource = one.resource.partition("/")
    attributes = {"group": one.group, "resource": resource, "subresource": subresource, "verb": verb}
    spec = {"nonResourceAttributes": {"path": one.url, "verb": verb}} if one.url else {"resourceAttributes": attributes}
    return {"apiVersion": REVIEWS.api_version, "kind": REVIEWS.kind, "metadata": {}, "spec": spec}
