"""What one more of something takes of a machine: measured once, and compared with what the machine has left."""

from __future__ import annotations

from dataclasses import astuple, dataclass

MIB = 1024**2


@dataclass(frozen=True)
class Weight:
    """What one more of something takes. `descriptors` are of its largest process; `ports` its share of a
    shard's included."""

    memory: int
    inotify_instances: int
    inotify_watches: int
    threads: int
    ports: float
    disk: int

    def plus(self, other: Weight, times: int = 1) -> Weight:
        """This and `other`, so many times."""
        mine, theirs = astuple(self), astuple(other)
        return Weight(*(own + times * each for own, each in zip(mine, theirs, strict=True)))


NOTHING = Weight(0, 0, 0, 0, 0, 0)
