"""The history of a run by its objects: what was planned and accepted, and when each existed where. Pure.

Objects of a trial that is past (`fleet.analysis.past_trials`) are kept packed, 50 bytes for each place where one was,
until somebody asks about them, or a late line comes.
"""

from __future__ import annotations

import sys
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

import msgspec

from fleet.analysis.final import is_final
from fleet.analysis.hop_table import CREATED, HopTable
from fleet.analysis.past_trials import PastTrials
from fleet.model.manager_record import ManagerRecord
from fleet.results.events import (
    Anomaly,
    ClusterState,
    FaultHealed,
    FaultInjected,
    GapSeen,
    HopSeen,
    Line,
    Planned,
    RunMark,
    Seen,
    Sent,
    TrialPlan,
    WorkloadSeen,
)

_REMOVALS = frozenset({"remove", "clean"})
"""Steps in which the driver deletes the objects of a trial."""


class Life(msgspec.Struct, array_like=True):
    """One object of one uid, from its first line to its deletion."""

    uid: str
    born_ns: int
    born_line: int
    gone_ns: int | None = None
    gone_line: int = 0
    ready_ns: int | None = None
    """First final status."""


class Pair(msgspec.Struct, array_like=True):
    """An object in one cluster, by its op-id."""

    op: str
    cluster: str
    lives: list[Life] = []

    @property
    def gone_ns(self) -> int | None:
        """When the last of them was deleted; None while one exists, or none ever did."""
        return self.lives[-1].gone_ns if self.lives else None


_Places = dict[str, Pair]
"""Of one object, by cluster."""
_unpack = msgspec.msgpack.Decoder(_Places).decode


@dataclass(slots=True)
class History:
    """Feed it every line in the order of arrival."""

    table: HopTable
    source: str
    """Where objects are sent to of which nothing else is planned."""
    object_timeout: float
    clean_timeout: float
    planned: dict[str, Planned] = field(default_factory=dict)
    planned_line: dict[str, int] = field(default_factory=dict)
    trials: dict[str, TrialPlan] = field(default_factory=dict)
    drained: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By trial: when its drain ended of itself, and the line."""
    removing: dict[str, int] = field(default_factory=dict)
    """By trial: when the driver began to delete its objects."""
    accepted: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By op-id: when its source said that it had it, and the line."""
    past: frozenset[str] = frozenset()
    """Op-ids of the objects whose trial is past since the last line."""
    faults: list[FaultInjected] = field(default_factory=list)
    healed: dict[tuple[str, int], int] = field(default_factory=dict)
    """By trial and number."""
    rewound: dict[str, int] = field(default_factory=dict)
    """By cluster: when a fault first put it back to an older state."""
    down: set[str] = field(default_factory=set)
    """Clusters that do not answer now."""
    downs: defaultdict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    unwatched: set[str] = field(default_factory=set)
    """Clusters of which a watch ended for good: of them nothing can be said."""
    gaps: defaultdict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    """By cluster: from, to."""
    first_ns: int = 0
    last_ns: int = 0
    _places: dict[str, _Places] = field(default_factory=dict)
    """By op-id; at the source too."""
    _packed: dict[str, bytes] = field(default_factory=dict)
    """The same of past trials."""
    _ops: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    """By cluster and uid: what it carries."""
    _of_trial: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Op-ids of each trial that is not past."""
    _trials: PastTrials = field(default_factory=PastTrials)

    @classmethod
    def of(cls, manager: ManagerRecord, source: str, object_timeout: float, clean_timeout: float) -> History:
        """An empty one."""
        return cls(HopTable(manager), source, object_timeout, clean_timeout)

    def feed(self, number: int, line: Line) -> None:
        """Take one line."""
        self.first_ns = self.first_ns or line.ns
        self.last_ns = max(self.last_ns, line.ns)
        self.past = frozenset(op for trial in self._trials.feed(line) for op in self._of_trial.pop(trial, ()))
        self._put_away(self.past)
        match line:
            case WorkloadSeen():
                self._workload(number, line)
            case HopSeen():
                self._hop(number, line)
            case Sent():
                if HTTPStatus.OK <= line.code < HTTPStatus.MULTIPLE_CHOICES:
                    self.accepted.setdefault(line.op, (line.ns, number))
            case Planned():
                clusters = [*map(sys.intern, line.clusters)]  # each line of a file has its own
                self.planned[line.op] = msgspec.structs.replace(line, clusters=clusters)
                self.planned_line[line.op] = number
                self._of_trial[line.trial].append(line.op)
            case TrialPlan():
                self.trials[line.trial] = line
            case RunMark():
                if (line.step, line.edge, line.note) == ("drain", "end", ""):
                    self.drained[line.trial] = line.ns, number
                if line.step in _REMOVALS and line.edge == "begin":
                    self.removing.setdefault(line.trial, line.ns)
            case _:
                self._around(line)

    def _around(self, line: Line) -> None:
        match line:
            case FaultInjected():
                self.faults.append(line)
                for cluster in line.clusters if line.rewinds else ():
                    self.rewound.setdefault(cluster, line.ns)
            case FaultHealed():
                self.healed[line.trial, line.number] = line.ns
            case ClusterState():
                self.downs[line.cluster].append((line.ns, line.state))
                (self.down.add if line.state == "down" else self.down.discard)(line.cluster)
            case GapSeen():
                self.gaps[line.cluster].append((line.start_ns, line.ns))
            case Anomaly():
                if line.what == "watch-lost":
                    self.unwatched.add(line.cluster)
            case _:
                pass

    # --- questions ------------------------------------------------------------------------------------------------
    def source_of(self, op: str) -> str:
        """Where that object is sent to."""
        return self.planned[op].source or self.source

    def origin(self, op: str) -> Pair:
        """The object at its source."""
        return self._of(op).get(self.source_of(op)) or Pair(op, self.source_of(op))

    def copies(self, op: str) -> Iterator[Pair]:
        """The object in each WEC that must have it."""
        places = self._of(op)
        for cluster in self.planned[op].clusters:
            yield places.get(cluster) or Pair(op, cluster)

    def seen(self, op: str) -> Iterator[Pair]:
        """The object in each cluster where it was ever seen."""
        yield from self._of(op).values()

    def name(self, op: str) -> str:
        """`plural/namespace/name`."""
        ref = self.planned[op].ref
        return f"{ref.resource}/{ref.namespace}/{ref.name}"

    def at(self, ns: int) -> str:
        """A moment as the report has it."""
        return f"{(ns - self.first_ns) / 1e9:.1f} s"

    def is_rewound(self, cluster: str, ns: int) -> bool:
        """A fault had put it back to an older state by then."""
        return self.rewound.get(cluster, ns + 1) <= ns

    def was_down(self, cluster: str, ns: int) -> bool:
        """It did not answer then."""
        state = "up"
        for moment, now in self.downs.get(cluster, ()):
            if moment > ns:
                break
            state = now
        return state == "down"

    def blind(self, cluster: str, start: int, end: int) -> bool:
        """A watch of it delivered nothing for a while between."""
        return cluster in self.unwatched or any(a <= end and b >= start for a, b in self.gaps.get(cluster, ()))

    def healed_before(self, trial: str, ns: int) -> int:
        """When the last fault of that trial was healed that began before then; 0 when there was none."""
        ends = [self.healed.get((f.trial, f.number), f.ns) for f in self.faults if f.trial == trial and f.ns <= ns]
        return max(ends, default=0)

    # --- lives ----------------------------------------------------------------------------------------------------
    def _workload(self, number: int, line: WorkloadSeen) -> None:
        op = line.op or next(iter(self._ops.get((line.cluster, line.uid), ())), "")
        planned = self.planned.get(op)
        if planned is None:
            return
        wrapped = bool(self.table.rows[CREATED].resource)
        if wrapped and line.cluster == self.source_of(op) and line.cluster not in planned.clusters:
            return  # the original is what wraps it
        self._seen(number, line, (op,))
        if line.type != "DELETED" and is_final(line):
            life = self._of(op)[line.cluster].lives[-1]
            if life.ready_ns is None:
                life.ready_ns = line.ns

    def _hop(self, number: int, line: HopSeen) -> None:
        if line.hop != CREATED:
            return
        told = tuple(fact.about[1] for fact in line.facts if fact.about[0] == "op" and fact.about[1] in self.planned)
        ops = told or self._ops.get((line.cluster, line.uid), ())
        if ops:
            self._seen(number, line, ops)

    def _seen(self, number: int, line: Seen, ops: tuple[str, ...]) -> None:
        self._ops[line.cluster, line.uid] = ops
        for op in ops:
            pair = self._changed(op).setdefault(line.cluster, Pair(op, line.cluster))
            life = next((one for one in pair.lives if one.uid == line.uid and one.gone_ns is None), None)
            if line.type == "DELETED":
                if life is not None:
                    life.gone_ns, life.gone_line = line.ns, number
            elif life is None:
                pair.lives.append(Life(line.uid, line.ns, number))

    def _of(self, op: str) -> _Places:
        """Where the object was; not to be changed."""
        places = self._places.get(op)
        if places is None:
            packed = self._packed.get(op)
            places = {} if packed is None else _unpack(zlib.decompress(packed))
        return places

    def _changed(self, op: str) -> _Places:
        """The same, to be changed."""
        places = self._places[op] = self._of(op)
        self._packed.pop(op, None)
        return places

    def _put_away(self, ops: Iterable[str]) -> None:
        for op in ops:
            places = self._places.pop(op, None)
            if places is None:
                continue
            self._packed[op] = zlib.compress(msgspec.msgpack.encode(places), 1)
            for pair in places.values():
                for life in pair.lives:
                    if life.gone_ns is not None:
                        self._ops.pop((pair.cluster, life.uid), None)
