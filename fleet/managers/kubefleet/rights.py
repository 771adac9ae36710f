"""What a run needs because of KubeFleet, beyond what its hops and its policies say."""

from __future__ import annotations

from fleet.kube.resources import FLEET_WORKS, MEMBER_CLUSTERS
from fleet.managers.rights import right

RIGHTS = (
    right("transport", MEMBER_CLUSTERS, "list"),
    right("transport", FLEET_WORKS, "list", "watch"),
)
