"""What a run needs because of KubeStellar, beyond what its hops and its policies say."""

from __future__ import annotations

from fleet.kube.resources import BINDINGS, MANAGED_CLUSTERS, MANIFEST_WORKS
from fleet.managers.rights import right

RIGHTS = (
    right("transport", MANAGED_CLUSTERS, "list"),
    # Works whose Binding is gone are deleted when KubeStellar forgot them.
    right("transport", MANIFEST_WORKS, "delete", "list", "watch"),
    right("source", BINDINGS, "list"),
)
