"""What the load client is ordered to do, in the fields of the Go packages `watching` and `streaming`. In seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fleet.experiments.watch_scaling.spec import Selector, Series, WatchScaling

GRACE = 5.0
"""Times `late`: how long after a window its changes may still come. What comes later counts as never."""
OPENING = 20
"""Watches that are opened at a time."""
TIMEOUT = 60.0
"""Of one request, and for the watches of a step to open."""
SLACK = 60.0
"""How much longer than it should the client may take before it counts as hung."""


@dataclass(frozen=True)
class Target:
    """A server and what is watched on it."""

    cluster: Mapping[str, str]
    """As the load client reads where a server is."""
    path: str
    """Of the collection."""
    names: Sequence[str]
    """Of the objects, all below `path`."""
    nodes: Sequence[str]
    """Each object's node; empty where no series selects by node."""


def watch_order(spec: WatchScaling, series: Series, target: Target) -> dict[str, Any]:
    """One series against that server."""
    selectors, groups = _groups(series.selector, target)
    return {
        "cluster": dict(target.cluster),
        "path": target.path,
        "selectors": selectors,
        "objects": [
            {"path": f"{target.path}/{name}", "group": group} for name, group in zip(target.names, groups, strict=True)
        ],
        "protocol": series.protocol,
        "per_connection": series.per_connection,
        "rate": series.rate,
        "watches": spec.steps(),
        "settle": spec.settle,
        "seconds": spec.window,
        "late": spec.late,
        "grace": GRACE * spec.late,
        "opening": OPENING,
        "timeout": TIMEOUT,
    }


def watch_seconds(spec: WatchScaling) -> float:
    """The longest that a series may take."""
    each = TIMEOUT + 2 * spec.settle + spec.window + GRACE * spec.late
    return each * len(spec.steps()) + SLACK


def _groups(selector: Selector, target: Target) -> tuple[list[str], list[int]]:
    """Field selectors, and which of them selects each object."""
    if selector == "all":
        return [""], [0] * len(target.names)
    if selector == "name":
        return [f"metadata.name={name}" for name in target.names], list(range(len(target.names)))
    nodes = list(dict.fromkeys(target.nodes))
    return [f"spec.nodeName={node}" for node in nodes], [nodes.index(node) for node in target.nodes]
