"""How far the driver's stamps are from the API servers' own, in a run that kept audit lines; pure.

A watch line is stamped at its receipt. The audit log of its API server says when the write behind it was answered, to
a microsecond, by the clock of that machine. The difference is the receipt's delay; a latency is wrong by the delay of
its end less that of its begin. (The write itself is between the request's receipt and its answer, a few milliseconds,
so this is the error of both together.) Lines are joined to writes by the object, the kind of the write and the order:
of one object, the n-th version that was seen is from the n-th write, as far as only one such reading fits the moments.
Moments that are the driver's own (an object was sent) have no error.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple

from fleet.analysis.sample_columns import Samples
from fleet.analysis.samples import Sample
from fleet.analysis.stats import P99_NEEDS, quantile
from fleet.analysis.tracks import OWN, version_of
from fleet.model.base import Model
from fleet.results.events import Audited, HopSeen, Line, ObjectRef, WorkloadSeen

ObjectKey = tuple[str, str, str, str]
"""Cluster, `plural.group`, namespace, name."""
CREATES = frozenset({"create"})


class StampError(Model):
    """Of one stage; seconds, without their sign."""

    stage: str
    samples: int
    """Counted ones with an end."""
    joined: int
    """Those of which both ends were found in an audit log."""
    p50: float
    p90: float
    p99: float | None
    """None below 100 joined ones."""
    max: float
    latency_p50: float
    """Of the joined ones, by the driver's stamps; with its sign."""
    server_p50: float
    """The same by the servers' stamps."""
    latency_p90: float
    server_p90: float

    @property
    def bound(self) -> float:
        """What the stage is known to: p99, else the largest."""
        return self.max if self.p99 is None else self.p99


class StampErrors(Model):
    """Of a run; seconds."""

    lines: int
    """Versions of objects that a watch delivered."""
    joined: int
    """Those whose write was found."""
    delay_p50: float
    """From the server's answer to the receipt; negative where the watch was quicker than the answer."""
    delay_p99: float
    stages: list[StampError]


class _Receipt(NamedTuple):
    wall: int
    type: str
    version: int


class _Write(NamedTuple):
    wall: int
    received: int
    creates: bool


@dataclass(slots=True)
class StampReader:
    """Feed it every line of a run."""

    receipts: defaultdict[ObjectKey, list[_Receipt]] = field(default_factory=lambda: defaultdict(list))
    writes: defaultdict[ObjectKey, list[_Write]] = field(default_factory=lambda: defaultdict(list))
    _versions: set[int] = field(default_factory=set)

    def beside(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The lines as they come, for somebody else."""
        for line in lines:
            self.feed(line)
            yield line

    def feed(self, line: Line) -> None:
        """Take one line."""
        match line:
            case WorkloadSeen() | HopSeen():
                version = version_of(line.cluster, line.rv)
                if line.listed or line.gap or version in self._versions:
                    return
                self._versions.add(version)
                self.receipts[key_of(line)].append(_Receipt(line.wall, line.type, version))
            case Audited():
                if HTTPStatus.OK <= line.code < HTTPStatus.MULTIPLE_CHOICES:
                    creates = line.verb in CREATES or line.code == HTTPStatus.CREATED
                    self.writes[_key(line.cluster, line.ref.group, line.ref)].append(
                        _Write(line.wall, line.received_wall, creates)
                    )
            case _:
                pass

    def errors(self, samples: Iterable[Sample]) -> StampErrors | None:
        """None for a run without audit lines, or of whose lines none could be joined."""
        delays: dict[int, int] = {}
        for key, writes in self.writes.items():
            delays.update(_joined(sorted(self.receipts.get(key, ())), sorted(writes)))
        if not delays:
            return None
        ordered = sorted(delays.values())
        return StampErrors(
            lines=sum(len(receipts) for receipts in self.receipts.values()),
            joined=len(delays),
            delay_p50=quantile(ordered, 0.5) / 1e9,
            delay_p99=quantile(ordered, 0.99) / 1e9,
            stages=list(_stages(Samples.of(samples).counted.ended, {**delays, OWN: 0})),
        )


def key_of(line: WorkloadSeen | HopSeen) -> ObjectKey:
    """The object that a watch line is of."""
    if isinstance(line, WorkloadSeen):
        return _key(line.cluster, line.ref.group, line.ref)
    return line.cluster, line.resource, line.namespace, line.name


def _key(cluster: str, group: str, ref: ObjectRef) -> ObjectKey:
    return cluster, f"{ref.resource}.{group}" if group else ref.resource, ref.namespace, ref.name


def _joined(receipts: Sequence[_Receipt], writes: Sequence[_Write]) -> Iterator[tuple[int, int]]:
    """Version and delay (ns) of each receipt whose write is certain; both ascend."""
    for creates in (True, False):
        mine = [one for one in receipts if (one.type == "ADDED") == creates]
        yield from _paired(mine, [write for write in writes if write.creates == creates])


def _paired(receipts: Sequence[_Receipt], writes: Sequence[_Write]) -> Iterator[tuple[int, int]]:
    """Of all ways to give each receipt a write of its own, in order and not of later, those alike in every way."""
    earliest: list[int] = []
    for receipt in receipts:
        at = earliest[-1] + 1 if earliest else 0
        if at >= len(writes) or writes[at].received > receipt.wall:
            return  # a version of which no write is known
        earliest.append(at)
    latest, at = [0] * len(receipts), len(writes)
    for number in range(len(receipts) - 1, -1, -1):
        at -= 1
        while writes[at].received > receipts[number].wall:
            at -= 1
        latest[number] = at
    for receipt, first, last in zip(receipts, earliest, latest, strict=True):
        if first == last:
            yield receipt.version, receipt.wall - writes[first].wall


def _stages(samples: Samples, delays: Mapping[int, int]) -> Iterator[StampError]:
    found: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    """Latency and its error."""
    counts: defaultdict[str, int] = defaultdict(int)
    for sample in samples:
        if sample.seconds is None:
            continue
        counts[sample.stage] += 1
        begin, end = (delays.get(version) for version in sample.versions)
        if begin is not None and end is not None:
            found[sample.stage].append((sample.seconds, (end - begin) / 1e9))
    for stage, both in found.items():
        errors = sorted(abs(error) for _, error in both)
        ours = sorted(latency for latency, _ in both)
        theirs = sorted(latency - error for latency, error in both)
        yield StampError(
            stage=stage,
            samples=counts[stage],
            joined=len(errors),
            p50=quantile(errors, 0.5),
            p90=quantile(errors, 0.9),
            p99=quantile(errors, 0.99) if len(errors) >= P99_NEEDS else None,
            max=errors[-1],
            latency_p50=quantile(ours, 0.5),
            server_p50=quantile(theirs, 0.5),
            latency_p90=quantile(ours, 0.9),
            server_p90=quantile(theirs, 0.9),
        )


def known(found: StampErrors, stages: Sequence[str]) -> list[str]:
    """What the stages are known to, in a sentence for a verdict; none where none of them was joined."""
    mine = [one for one in found.stages if one.stage in stages]
    shown = []
    for one in sorted(mine, key=lambda one: stages.index(one.stage)):
        what = "max" if one.p99 is None else "p99"
        shown.append(f"{one.stage} to \N{PLUS-MINUS SIGN}{one.bound * 1e3:.1f} ms ({what} of {one.joined})")
    return [f"known by the API servers' audit stamps: {', '.join(shown)}"] if shown else []
