"""How full the nodes of a trial were, over time: what pods reserve of what nodes offer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fleet.analysis.recorded import Recorded
from fleet.experiments.karpenter_scale import marks
from fleet.observe.marks import DELETED

Size = tuple[float, float]
"""CPUs and MiB."""
NOTHING: Size = (0.0, 0.0)


@dataclass(frozen=True)
class Level:
    """From one moment on."""

    ns: int
    nodes: int
    cpu: float
    """Reserved of all that the nodes offer, from 0 to 1."""
    memory: float
    node_cpu: float
    """Mean over the nodes of the share that is reserved of each: what upstream asserts."""
    node_memory: float


@dataclass(frozen=True)
class _Step:
    """A node, or a pod on it, comes or goes."""

    ns: int
    node: str
    size: Size
    is_node: bool
    comes: bool


def levels(recorded: Recorded, trial: str) -> list[Level]:
    """Whenever it changed, in order: a node counts from the registration of its NodeClaim, or its first pod, until that
    is gone, a pod from its binding until it is gone."""
    offered: dict[str, Size] = {}
    reserved: defaultdict[str, Size] = defaultdict(lambda: NOTHING)
    made: list[Level] = []
    for step in sorted(_steps(recorded, trial), key=lambda one: one.ns):
        if not step.is_node:
            sign = 1 if step.comes else -1
            cpu, memory = reserved[step.node]
            reserved[step.node] = (cpu + sign * step.size[0], memory + sign * step.size[1])
        elif step.comes:
            offered[step.node] = step.size
        else:
            offered.pop(step.node, None)
        made.append(_level(step.ns, offered, reserved))
    return made


def at(found: Sequence[Level], ns: int) -> Level | None:
    """What held at a moment; None before the first node."""
    return next((level for level in reversed(found) if level.ns <= ns), None)


def _level(ns: int, offered: dict[str, Size], reserved: dict[str, Size]) -> Level:
    pairs = [(reserved.get(node, NOTHING), size) for node, size in offered.items() if all(size)]

    def whole(which: int) -> float:
        total = sum(size[which] for _, size in pairs)
        return sum(used[which] for used, _ in pairs) / total if total else 0.0

    def mean(which: int) -> float:
        return sum(used[which] / size[which] for used, size in pairs) / len(pairs) if pairs else 0.0

    return Level(ns, len(pairs), whole(0), whole(1), mean(0), mean(1))


def _steps(recorded: Recorded, trial: str) -> Iterator[_Step]:
    mine = [seen for seen in recorded.seen if seen.trial == trial]
    used: dict[str, int] = {}
    """When each node first got a pod: the watch of NodeClaims may say later that it is there."""
    for seen in mine:
        if seen.mark == marks.BOUND and seen.data:
            used.setdefault(str(seen.data), seen.ns)
    sizes: dict[str, Size] = {}
    nodes: dict[str, str] = {}
    for seen in mine:
        if seen.mark == marks.SIZED:
            sizes[seen.uid] = (float(seen.data[0]), float(seen.data[1]))
            continue
        size, is_node = sizes.get(seen.uid, NOTHING), seen.resource == marks.CLAIM
        if seen.mark in (marks.REGISTERED, marks.BOUND) and seen.data:
            node = nodes[seen.uid] = str(seen.data)
            yield _Step(min(seen.ns, used.get(node, seen.ns)) if is_node else seen.ns, node, size, is_node, comes=True)
        elif seen.mark == DELETED and seen.uid in nodes:
            yield _Step(seen.ns, nodes[seen.uid], size, is_node, comes=False)
