"""What a run needs because of OCM: Placements and sets of works at the hub, AppliedManifestWorks in the WECs."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.kube.resources import APPLIED_MANIFEST_WORKS, MANAGED_CLUSTERS, MANIFEST_WORKS, Resource
from fleet.managers.rights import Right, right

CLUSTERS, WORK = MANAGED_CLUSTERS.group, MANIFEST_WORKS.group


def rights(kinds: Sequence[Resource]) -> tuple[Right, ...]:  # noqa: ARG001 - the hub has them only inside of works
    """See `fleet.managers.rights`."""
    made = ("create", "delete", "list", "watch")
    return (
        Right("source", made, CLUSTERS, "placements"),
        Right("source", made, WORK, "manifestworkreplicasets"),
        Right("source", ("create",), CLUSTERS, "managedclustersetbindings"),
        Right("source", ("create",), CLUSTERS, "managedclustersets/bind"),
        Right("source", ("get",), CLUSTERS, "managedclustersets"),
        Right("source", ("list", "watch"), CLUSTERS, "placementdecisions"),
        right("transport", MANAGED_CLUSTERS, "list"),
        # Those whose set is gone are deleted when OCM forgot them.
        right("transport", MANIFEST_WORKS, "delete", "list", "watch"),
        right("wec", APPLIED_MANIFEST_WORKS, "list", "watch"),
    )
