"""What KubeStellar leaves of a run at an ITS: ManifestWorks whose Binding is gone are deleted for it."""

from __future__ import annotations

from collections.abc import Callable

from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.managers.manager import Cleaning, Spaces
from fleet.managers.works import Work, Works

WORKS_LABEL = "transport.kubestellar.io/originWdsName"
BINDING_LABEL = "transport.kubestellar.io/originOwnerReferenceBindingKey"


HINT = "An OCM agent that does not run keeps them: see `fleet status`, then clean again"


async def remove_works(
    its: KubeClient, spaces: Spaces, run_id: str | None, cleaning: Cleaning, *, seconds: float
) -> None:
    """Wait for the run's ManifestWorks to go; delete those that nobody owns any more; name those that stay."""

    async def owned() -> Callable[[Work], bool]:
        bindings = {
            (wds.cluster, item["metadata"]["name"])
            for wds in spaces.sources.values()
            for item in await wds.list_all(resources.BINDINGS)
        }
        return lambda work: _binding_of(work) in bindings

    works = Works(its, resources.MANIFEST_WORKS, run_id, selector=WORKS_LABEL)
    await works.clear(owned, cleaning, seconds=seconds, hint=HINT)


def _binding_of(work: Work) -> tuple[str, str]:
    """The WDS and the name of the Binding that a ManifestWork is of."""
    labels = work["metadata"].get("labels", {})
    return labels.get(WORKS_LABEL, ""), labels.get(BINDING_LABEL, "")
