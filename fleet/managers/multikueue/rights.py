"""What a run needs because of MultiKueue, beyond what `made` says."""

from __future__ import annotations

from fleet.kube.resources import JOBS
from fleet.managers.multikueue import names
from fleet.managers.rights import right
from fleet.platforms.kueue import names as kueue

RIGHTS = (
    right("transport", names.CLUSTERS, "list"),
    right("source", kueue.LOCAL_QUEUES, "create"),
    right("source", kueue.WORKLOADS, "list", "watch"),
    right("source", JOBS, "create", "delete", "list", "watch"),
    right("wec", kueue.LOCAL_QUEUES, "create"),
    right("wec", JOBS, "list", "watch"),
)
