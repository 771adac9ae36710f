"""What a run needs because of OCM, beyond what its hops and its policies say."""

from __future__ import annotations

from fleet.kube.resources import (
    MANAGED_CLUSTER_SET_BINDINGS,
    MANAGED_CLUSTER_SETS,
    MANAGED_CLUSTERS,
    MANIFEST_WORK_REPLICA_SETS,
    MANIFEST_WORKS,
)
from fleet.managers.rights import Right, right

RIGHTS = (
    right("source", MANAGED_CLUSTER_SETS, "get"),
    right("source", MANAGED_CLUSTER_SET_BINDINGS, "create"),
    Right("source", ("create",), MANAGED_CLUSTER_SETS.group, f"{MANAGED_CLUSTER_SETS.plural}/bind"),
    right("transport", MANAGED_CLUSTERS, "list"),
    # Works whose set is gone are deleted when OCM forgot them.
    right("transport", MANIFEST_WORKS, "delete", "list", "watch"),
    right("transport", MANIFEST_WORK_REPLICA_SETS, "list"),
)
