"""What is seen in the WECs: an object with its new replicas, and its end; and the requests that began it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from fleet.model.stage import Stage
from fleet.results.events import Line, MarkSeen, ObjectRef, WorkloadSeen
from fleet.workload.objects import WorkloadObject

UPDATE, REMOVE = "update", "remove"
"""Requests of the driver, as `Requested.op`."""
UPDATED, REMOVED = "updated", "removed"
"""Marks, of an object in a WEC."""
ENDS = {UPDATE: UPDATED, REMOVE: REMOVED}
STAGES = (
    Stage(name=UPDATE, begin=UPDATE, end=UPDATED, text="Request to change the object to the change in its WEC"),
    Stage(name="removal", begin=REMOVE, end=REMOVED, text="Request to delete the object to its end in its WEC"),
)


@dataclass
class Follower:
    """Waits for one mark of each object in each of its WECs; gets every line of the run while it does.

    `tell` takes the lines that it makes: the same receipt as the watch line that shows the mark.
    """

    trial: str
    mark: str
    replicas: int
    """What an updated object has; WECs show no other number of that object before."""
    tell: Callable[[MarkSeen], object]
    _left: dict[tuple[str, ObjectRef], None] = field(default_factory=dict)
    total: int = 0

    def expect(self, items: Iterable[WorkloadObject]) -> None:
        """So many objects, each in its WECs."""
        for item in items:
            for cluster in item.clusters:
                self._left[cluster, item.ref] = None
        self.total = len(self._left)

    @property
    def left(self) -> list[tuple[str, ObjectRef]]:
        """WEC and object of what was not seen yet."""
        return list(self._left)

    def feed(self, line: Line) -> None:
        """Take one line."""
        if not isinstance(line, WorkloadSeen) or (line.cluster, line.ref) not in self._left:
            return
        gone = line.type == "DELETED"
        if not (gone if self.mark == REMOVED else not gone and line.replicas == self.replicas):
            return
        del self._left[line.cluster, line.ref]
        self.tell(
            MarkSeen(
                ns=line.ns,
                wall=line.wall,
                cluster=line.cluster,
                type=line.type,
                uid=line.uid,
                rv=line.rv,
                listed=line.listed,
                gap=line.gap,
                writer=line.writer,
                trial=self.trial,
                resource=line.ref.kind,
                namespace=line.ref.namespace,
                name=line.ref.name,
                mark=self.mark,
            )
        )
