"""What of a run exists right now, by cluster: read from the same lines as the samples, so nobody lists in loops."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fleet.model.run_names import RunNames
from fleet.results.events import (
    AppliedManifestWorkSeen,
    BindingSeen,
    Line,
    ManifestWorkSeen,
    WorkloadSeen,
    WorkStatusSeen,
)


@dataclass(frozen=True)
class Left:
    """How much of the run is still there, in the clusters that were asked about."""

    objects: int
    works: int
    applied: int
    statuses: int

    @property
    def nothing(self) -> bool:
        """All gone."""
        return not (self.objects or self.works or self.applied or self.statuses)

    def __str__(self) -> str:
        """For a message: the counts that are not 0."""
        names = (
            (self.objects, "objects"),
            (self.works, "ManifestWorks"),
            (self.applied, "AppliedManifestWorks"),
            (self.statuses, "WorkStatuses"),
        )
        return ", ".join(f"{count} {name}" for count, name in names if count) or "nothing"


class Tracker:
    """Feed it every line in the order of arrival. `names` tell the run's namespaces, `wdses` where originals are."""

    def __init__(self, *, names: RunNames, wdses: Collection[str]) -> None:
        self.names = names
        self.wdses = frozenset(wdses)
        self.completed: set[str] = set()
        """Op-ids of objects that a WDS shows as completed; whoever deletes one takes it out."""
        self._destinations: dict[str, frozenset[str]] = {}
        self._objects: dict[str, set[str]] = defaultdict(set)
        self._works: dict[str, tuple[str, str]] = {}
        self._work_names: set[str] = set()
        self._applied: dict[str, dict[str, str]] = defaultdict(dict)
        self._statuses: dict[str, str] = {}

    def feed(self, line: Line) -> None:
        """Take one line; constant time."""
        match line:
            case WorkloadSeen():
                self._object(line)
            case ManifestWorkSeen():
                self._work(line)
            case AppliedManifestWorkSeen():
                self._amw(line)
            case WorkStatusSeen():
                self._status(line)
            case BindingSeen():
                self._binding(line)
            case _:
                pass

    def destinations(self, binding: str) -> frozenset[str] | None:
        """WECs of that Binding; None when there is no such Binding."""
        return self._destinations.get(binding)

    def bindings(self) -> frozenset[str]:
        """Names of all Bindings that exist in the WDSes; a run has no name twice."""
        return frozenset(self._destinations)

    def left(self, wecs: Collection[str]) -> Left:
        """What exists in the WDSes, the ITSes and those WECs."""
        chosen = set(wecs)
        return Left(
            objects=sum(len(self._objects[name]) for name in (*self.wdses, *chosen) if name in self._objects),
            works=sum(1 for namespace, _ in self._works.values() if namespace in chosen),
            applied=sum(
                1 for name in chosen for work in self._applied.get(name, {}).values() if work in self._work_names
            ),
            statuses=sum(1 for namespace in self._statuses.values() if namespace in chosen),
        )

    def _object(self, line: WorkloadSeen) -> None:
        if self.names.holds(line.ref.namespace):
            uids = self._objects[line.cluster]
            uids.discard(line.uid) if line.type == "DELETED" else uids.add(line.uid)
            if line.cluster in self.wdses and line.type != "DELETED" and _completed(line):
                self.completed.add(line.op)

    def _work(self, line: ManifestWorkSeen) -> None:
        if line.type == "DELETED":
            self._works.pop(line.uid, None)
        elif line.uid in self._works or any(self.names.holds(entry.namespace) for entry in line.manifests):
            self._works[line.uid] = (line.namespace, line.name)
            self._work_names.add(line.name)

    def _amw(self, line: AppliedManifestWorkSeen) -> None:
        works = self._applied[line.cluster]
        if line.type == "DELETED":
            works.pop(line.uid, None)
        else:
            works[line.uid] = line.work

    def _status(self, line: WorkStatusSeen) -> None:
        if line.type == "DELETED":
            self._statuses.pop(line.uid, None)
        elif self.names.holds(line.ref.namespace):
            self._statuses[line.uid] = line.namespace

    def _binding(self, line: BindingSeen) -> None:
        if line.type == "DELETED":
            self._destinations.pop(line.name, None)
        elif line.destinations is not None:
            self._destinations[line.name] = frozenset(line.destinations)
        else:
            self._destinations.setdefault(line.name, frozenset())


def _completed(line: WorkloadSeen) -> bool:
    return isinstance(line.status, Mapping) and line.status.get("phase") in ("Succeeded", "Failed")
