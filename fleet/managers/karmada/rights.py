"""What a run needs because of Karmada, beyond what its hops and its policies say."""

from __future__ import annotations

from fleet.kube.resources import KARMADA_CLUSTERS, KARMADA_WORKS, RESOURCE_BINDINGS, SERVICE_ACCOUNTS
from fleet.managers.rights import right

RIGHTS = (
    right("transport", KARMADA_CLUSTERS, "list"),
    # Works whose ResourceBinding is gone are deleted when Karmada forgot them.
    right("transport", KARMADA_WORKS, "delete", "list", "watch"),
    right("source", RESOURCE_BINDINGS, "list"),
    # Karmada brings namespaces: a run waits until each WEC has them.
    right("wec", SERVICE_ACCOUNTS, "list", "watch"),
)
