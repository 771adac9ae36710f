"""Who still writes when the load has ended, and which two managers undo each other's writes.

Only the step `after` of each trial counts: whatever is written then has no cause in the driver. Two managers fight over
an object when they write it in turn, again and again; a controller that writes alone is merely busy. Nor does one fight
that writes the status of what another writes: neither can undo the other, the API server keeps the two apart, and a
controller that follows each change with a status (a Deployment's `observedGeneration`) does its duty.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from fleet.analysis.recorded import Recorded, Write
from fleet.model.base import Model

TURNS = 6
"""Changes of the writer, A to B or B to A, of one object: three rounds. The waves that follow a status take fewer."""
SUBRESOURCES = ("status", "scale")
"""That Kubernetes knows; a manager's own name may have a slash in it too."""


class Activity(Model):
    """Writes to one kind of object in one cluster, in the step `after` of all trials."""

    cluster: str
    resource: str
    objects: int
    """That were written."""
    writes: int
    per_object_minute: float
    writers: dict[str, int]
    """Writes by managedFields manager, most first."""


class Fight(Model):
    """Two managers that write the same objects in turn."""

    cluster: str
    resource: str
    managers: tuple[str, str]
    objects: int
    """Over which they fight."""
    turns: int
    """Over all of them."""
    per_object_minute: float
    """Writes to such an object."""
    example: str
    """The object with the most turns."""

    def __str__(self) -> str:
        """For the verdict."""
        one, other = self.managers
        many = f"{self.objects} {self.resource}" if self.objects > 1 else f"{self.resource} {self.example}"
        return (
            f"{one} and {other} fight over {many} of {self.cluster}: {self.turns} turns after the load had ended, "
            f"{self.per_object_minute:.1f} writes per object and minute"
        )


def activity(recorded: Recorded) -> list[Activity]:
    """By cluster and kind, the busiest first."""
    groups: defaultdict[tuple[str, str], list[Write]] = defaultdict(list)
    for write in recorded.writes:
        groups[write.cluster, write.resource].append(write)
    found = [_activity(*key, members, recorded) for key, members in groups.items()]
    return sorted(found, key=lambda one: (-one.per_object_minute, one.cluster, one.resource))


def _activity(cluster: str, resource: str, writes: Sequence[Write], recorded: Recorded) -> Activity:
    objects = _by_object(writes)
    minutes = sum(recorded.minutes_after(history) for history in objects.values())
    return Activity(
        cluster=cluster,
        resource=resource,
        objects=len(objects),
        writes=len(writes),
        per_object_minute=len(writes) / minutes if minutes > 0 else 0.0,
        writers=dict(Counter(write.writer or "unknown" for write in writes).most_common()),
    )


def _by_object(writes: Sequence[Write]) -> dict[str, list[Write]]:
    found: defaultdict[str, list[Write]] = defaultdict(list)
    for write in writes:
        found[write.uid].append(write)
    return found


def fights(recorded: Recorded) -> list[Fight]:
    """The fight with the most turns first."""
    histories: defaultdict[tuple[str, str, str, str, int], list[Write]] = defaultdict(list)
    for write in recorded.writes:  # step by step: the waves of several trials over one Binding are no fight
        part = _subresource(write.writer)
        histories[write.cluster, write.resource, write.uid, part, write.step].append(write)
    found: defaultdict[tuple[str, str, tuple[str, str]], list[tuple[int, list[Write]]]] = defaultdict(list)
    for (cluster, resource, *_), history in histories.items():
        for pair, turns in _turns(history).items():
            if turns >= TURNS:
                found[cluster, resource, pair].append((turns, history))
    return sorted((_fight(*key, members, recorded) for key, members in found.items()), key=lambda one: -one.turns)


def _subresource(writer: str) -> str:
    """What of the object was written: `status`, `scale`, or nothing for the object itself."""
    last = writer.rpartition("/")[2]
    return last if last in SUBRESOURCES and last != writer else ""


def _turns(history: Sequence[Write]) -> Counter[tuple[str, str]]:
    turns: Counter[tuple[str, str]] = Counter()
    for one, other in pairwise(write.writer for write in history):
        if one and other and one != other:
            turns[min(one, other), max(one, other)] += 1
    return turns


def _fight(
    cluster: str,
    resource: str,
    managers: tuple[str, str],
    members: Sequence[tuple[int, Sequence[Write]]],
    recorded: Recorded,
) -> Fight:
    writes = sum(len(history) for _, history in members)
    minutes = sum(recorded.minutes_after(history) for _, history in members)
    return Fight(
        cluster=cluster,
        resource=resource,
        managers=managers,
        objects=len({history[0].uid for _, history in members}),
        turns=sum(turns for turns, _ in members),
        per_object_minute=writes / minutes if minutes > 0 else 0.0,
        example=max(members, key=lambda member: member[0])[1][0].name,
    )
