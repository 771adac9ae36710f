"""What Headlamp publishes of its own load test and about large clusters, to stand alongside what was measured here."""

from __future__ import annotations

WHERE = "Headlamp at 7fd07084 (its page about testing, and load-tests)"
LOAD = (
    "900 nodes, 9,000 Deployments of one replica, 1,000 events, 15 clusters, then a node, a pod and an event a second"
)
JUDGED = "by profiles, by CPU and memory, and by how the page feels; it publishes no figures"
