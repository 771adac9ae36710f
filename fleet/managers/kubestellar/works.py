"""What KubeStellar leaves of a run at an ITS: ManifestWorks whose Binding is gone are deleted for it."""

from __future__ import annotations

from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.managers.manager import Cleaning, Spaces
from fleet.managers.works import GRACE_SECONDS, Work, Works

WORKS_LABEL = "transport.kubestellar.io/originWdsName"
BINDING_LABEL = "transport.kubestellar.io/originOwnerReferenceBindingKey"


async def remove_works(
    its: KubeClient, spaces: Spaces, run_id: str | None, cleaning: Cleaning, *, grace: float, seconds: float
) -> None:
    """Wait for the run's ManifestWorks to go; delete those that nobody owns any more; name those that stay."""
    works = Works(its, resources.MANIFEST_WORKS, run_id, selector=WORKS_LABEL)
    if not await works.wait(grace):
        return
    bindings = {
        (wds.cluster, item["metadata"]["name"])
        for wds in spaces.sources.values()
        for item in await wds.list_all(resources.BINDINGS)
    }
    await works.drop_orphans(lambda work: _binding_of(work) in bindings, cleaning)
    why = await works.wait(max(1.0, seconds - grace))
    if why:
        cleaning.left(f"{why}. An OCM agent that does not run keeps them: see `fleet status`, then clean again")


def grace_of(seconds: float) -> float:
    """How much of a clean-up of that many seconds KubeStellar has to delete ManifestWorks by itself."""
    return min(GRACE_SECONDS, seconds / 2)


def _binding_of(work: Work) -> tuple[str, str]:
    """The WDS and the name of the Binding that a ManifestWork is of."""
    labels = work["metadata"].get("labels", {})
    return labels.get(WORKS_LABEL, ""), labels.get(BINDING_LABEL, "")
