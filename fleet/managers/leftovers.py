"""Whether something of an earlier run is still in a cluster, found by the run's label."""

from __future__ import annotations

from fleet.errors import FleetError
from fleet.kube.client import KubeClient
from fleet.kube.resources import Resource
from fleet.managers.named import named
from fleet.model.run_names import RUN_LABEL


async def check_leftovers(client: KubeClient, resource: Resource, what: str) -> None:
    """FleetError when objects of that kind carry the label of a run; `what` names them for people."""
    left = await client.list_all(resource, label_selector=RUN_LABEL)
    runs = sorted({str(item["metadata"]["labels"][RUN_LABEL]) for item in left})
    if runs:
        raise FleetError(
            f"{client.cluster}: {len(left)} {what} of an earlier run are still there ({named(runs)}) and would add "
            "their work to this one. Remove them with `fleet experiment clean`"
        )
