"""The latencies of ui-load and the names of what is written down of a trial."""

from __future__ import annotations

from fleet.kube.resources import EVENTS, NODES, PODS
from fleet.model.stage import Stage

GROW, LIST, WATCH = "grow", "list", "load"
"""Steps: objects are made; a page is opened; its lists change."""
RECEIVED, SHOWN = "received", "shown"
OPENED, ANSWERED, DRAWN, PARSED = "opened", "headers", "drawn", "parsed"
PAGE_RESOURCE, LIST_RESOURCE = "page", "list"
CLIENT_CPU, CLIENT_IDLE, WATCHED = "client_cpu", "client_idle", "watched"
"""Measured of each trial: seconds of CPU of all processes of the client while it watched, cores that it took before,
when nothing was added, and how long it watched."""
CLIENT_PSS, CLOCK = "client_pss", "client_clock"
"""Its memory then, and by how much its clock may differ."""
CREATED = tuple(map(str, (PODS, NODES, EVENTS)))

STAGES = (
    Stage(
        name="page", begin=OPENED, end=DRAWN, resource=PAGE_RESOURCE,
        text="a page opened to React's commit with all that it lists",
    ),
    Stage(
        name="list", begin=OPENED, end=PARSED, resource=LIST_RESOURCE,
        text="one list requested by the frontend to its JSON parsed",
    ),
    Stage(
        name="received", begin="sent", end=RECEIVED, optional=True,
        text="a node, pod or event being created to the frontend's receipt of its first watch event",
    ),
    Stage(
        name="shown", begin=RECEIVED, end=SHOWN, optional=True,
        text="that receipt to React's next commit; a table takes what came once a second",
    ),
)  # fmt: skip
