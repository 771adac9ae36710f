"""What a WEC must hold before its OCM agent starts, and whether the credential that the agent has is still good."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from fleet.errors import SpecError
from fleet.install.crds import ensure_crds
from fleet.install.objects import Ledger, drop_finalizers, ensure, namespace, remove
from fleet.install.waiting import drained
from fleet.kube.client import KubeClient
from fleet.kube.errors import Forbidden, NotFound, Unauthorized, Unreachable
from fleet.kube.resources import APPLIED_MANIFEST_WORKS, CRDS, MANAGED_CLUSTERS, NAMESPACES, SECRETS
from fleet.managers.ocm import names

PROBE_SECONDS = 10.0
APPLIED_CRD = "appliedmanifestworks.work.open-cluster-management.io"
AGENT_CRDS = frozenset({APPLIED_CRD, "clusterclaims.cluster.open-cluster-management.io"})
"""All that is put into a WEC for its agent."""
CLEAR_SECONDS, POLL_SECONDS = 60.0, 0.5
"""For the WEC's own controllers to delete them; counted from the last that went."""


async def prepare(wec: KubeClient, crds: Iterable[Mapping[str, Any]], ledger: Ledger) -> bool:
    """The agent's CRDs and its namespace; True when any had to change."""
    changed = await ensure_crds(wec, crds, ledger)
    return await ensure(wec, NAMESPACES, namespace(names.AGENT_NAMESPACE), ledger) or changed


async def clear(wec: KubeClient, ledger: Ledger) -> None:
    """Remove what `prepare` and the agents left, once no agent runs for the WEC: CRDs and the agents' namespace.

    Works that an agent could not take down lose OCM's finalizer, and what they applied stays; a note says how many.
    """
    crds = [crd["metadata"]["name"] for crd in await wec.list_all(CRDS) if crd["metadata"]["name"] in AGENT_CRDS]
    spaces = await wec.list_all(NAMESPACES, field_selector=f"metadata.name={names.AGENT_NAMESPACE}")
    for what in (*crds, *(space["metadata"]["name"] for space in spaces)):
        ledger.record(f"{wec.cluster} {what}", "present", None)
    if ledger.check:
        return
    if APPLIED_CRD in crds:
        works = [work["metadata"]["name"] for work in await wec.list_all(APPLIED_MANIFEST_WORKS)]
        for work in works:
            await drop_finalizers(wec, APPLIED_MANIFEST_WORKS, work, None, frozenset({names.APPLIED_FINALIZER}))
        if works:
            ledger.notes.append(f"{wec.cluster}: {len(works)} works were left by their agents: what they applied stays")
    for crd in crds:
        await remove(wec, CRDS, crd)
    for _ in spaces:
        await remove(wec, NAMESPACES, names.AGENT_NAMESPACE)

    async def count() -> int:
        found = await wec.list_all(NAMESPACES, field_selector=f"metadata.name={names.AGENT_NAMESPACE}")
        return len(found) + sum(crd["metadata"]["name"] in AGENT_CRDS for crd in await wec.list_all(CRDS))

    if left := await drained(count, CLEAR_SECONDS, POLL_SECONDS):
        ledger.notes.append(f"{wec.cluster}: {left} of OCM's CRDs and namespaces are still being deleted")


async def forget(wec: KubeClient, seat: str = "") -> bool:
    """Remove the hub credential that the agent keeps in the WEC; True when it was there."""
    return await remove(wec, SECRETS, names.hub_secret(seat), names.AGENT_NAMESPACE)


async def applied(wec: KubeClient, seat: str = "") -> list[str]:
    """The AppliedManifestWorks that the WEC's agent at that seat made; agents at other ITSes have theirs alongside
    them.

    Each names its agent's id; one that names none was made by an agent that stood alone.
    """
    own = names.agent_id(wec.cluster, seat)
    works = await wec.list_all(APPLIED_MANIFEST_WORKS)
    made_by = {work["metadata"]["name"]: (work.get("spec") or {}).get("agentID") for work in works}
    return [name for name, agent in made_by.items() if agent == own or (not agent and not seat)]


async def disown(wec: KubeClient, seat: str = "") -> int:
    """Delete the AppliedManifestWorks of a hub that no longer knows the WEC; how many there were.

    OCM would do so after an hour; until then they stay the first owners of what a new hub applies under the same names,
    and no status of it would come back. The agent removes what they applied once it runs.
    """
    works = await applied(wec, seat)
    for work in works:
        await remove(wec, APPLIED_MANIFEST_WORKS, work)
    return len(works)


async def credential_fault(kubeconfig: Path, wec: str, hub: str, allowed: Collection[str] = ()) -> str | None:
    """Why an agent's hub kubeconfig is of no use any more; None when it is good.

    Asks the hub for the WEC's own ManagedCluster with it. Only for a file that exists, while the hub answers others.
    A refusal for lack of rights is no fault: OCM gives and takes them a moment later than the ManagedCluster.
    `allowed` are hosts of the hub, alongside loopback.
    """
    try:
        client = KubeClient.from_kubeconfig(
            kubeconfig, cluster=hub, allowed=allowed, timeout=PROBE_SECONDS, retry_seconds=0
        )
    except SpecError as error:
        return f"damaged: {error}"
    async with client:
        return await _fault(client, wec)


async def _fault(client: KubeClient, wec: str) -> str | None:
    try:
        await client.get(MANAGED_CLUSTERS, wec)
    except Unauthorized:
        return "refused: the certificate has ended or is of another authority"
    except Unreachable as error:
        return f"useless: the hub answers, but not to it ({error})"
    except (Forbidden, NotFound):
        return None
    return None
