"""What a run needs because of KubeStellar: objects and policies at a WDS, works and statuses at an ITS."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.kube.resources import (
    APPLIED_MANIFEST_WORKS,
    BINDING_POLICIES,
    BINDINGS,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    WORK_STATUSES,
    Resource,
)
from fleet.managers.rights import Right, right


def rights(kinds: Sequence[Resource]) -> tuple[Right, ...]:
    """See `fleet.managers.rights`."""
    return (
        *(right("source", kind, "create", "delete", "list", "watch") for kind in kinds),
        right("source", BINDING_POLICIES, "create", "delete", "list", "watch"),
        right("source", BINDINGS, "list", "watch"),
        right("transport", MANAGED_CLUSTERS, "list"),
        # Those whose Binding is gone are deleted when KubeStellar forgot them.
        right("transport", MANIFEST_WORKS, "delete", "list", "watch"),
        right("transport", WORK_STATUSES, "list", "watch"),
        right("wec", APPLIED_MANIFEST_WORKS, "list", "watch"),
    )
