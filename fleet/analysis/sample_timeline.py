"""Why was this one slow: everything that the events say about one object, line by line, with the raw lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from fleet.analysis.sample_columns import Samples
from fleet.analysis.samples import Sample
from fleet.errors import UsageError
from fleet.results.eventlog import decoder, open_log
from fleet.results.events import (
    ClusterState,
    FaultHealed,
    FaultInjected,
    GapSeen,
    HopSeen,
    Key,
    Line,
    MarkSeen,
    ObjectRef,
    Planned,
    ProgramChanged,
    Requested,
    Sent,
    WorkloadSeen,
)
from fleet.results.folder import RunFolder

_PASSES = 5
"""Over the file, at most: each follows the links one hop further where watches raced, and most runs need two."""
_REF = 4
"""Group, resource, namespace, name: behind a key that is given for several objects at once."""
_BESIDE = (b'"t":"gap"', b'"t":"cluster"', b'"t":"fault"', b'"t":"healed"', b'"t":"program"')
"""Lines about the fleet: they may say why."""


@dataclass(frozen=True)
class Entry:
    """One line about the object, or about the fleet while it was on its way."""

    ns: int
    where: str
    """Cluster, or `driver`."""
    what: str
    raw: str
    """The line of events.jsonl."""
    beside: bool = False
    """It is about the fleet."""


@dataclass(frozen=True)
class Timeline:
    """One sample and what led to it, by time."""

    sample: Sample
    siblings: Sequence[Sample]
    """All samples of the same object on the same way, in the order of the stages."""
    entries: Sequence[Entry]

    @property
    def start_ns(self) -> int:
        """From which offsets count: the sample's start, or the first line where it has none."""
        return self.sample.start_ns or (self.entries[0].ns if self.entries else 0)


@dataclass(slots=True)
class _Thread:
    """What is known of the object while the file is read."""

    sample: Sample
    siblings: Sequence[Sample]
    ops: set[str] = field(default_factory=set)
    keys: set[Key] = field(default_factory=set)
    refs: set[tuple[str, ...]] = field(default_factory=set)
    needles: set[bytes] = field(default_factory=set)
    """A line that holds none of these cannot be about it."""
    entries: list[Entry] = field(default_factory=list)
    begin: int = 0
    end: int = 0

    def learn(self, key: Key) -> None:
        """A link to later lines."""
        if key not in self.keys:
            self.keys.add(key)
            self.needles.add(max(key[1:], key=len).encode())


def find(samples: Sequence[Sample], text: str) -> Sample:
    """The sample that `[TRIAL:][NAMESPACE/]NAME[@WEC]`, `slowest` or `slowest:STAGE` means; of several the slowest.

    UsageError when there is none.
    """
    if text == "slowest" or text.startswith("slowest:"):
        stage = text.partition(":")[2]
        mine = Samples.of(samples).counted.ended
        found: Sequence[Sample] = mine.of_stages(stage) if stage else mine
    else:
        body, _, cluster = text.partition("@")
        trial, colon, path = body.rpartition(":")
        namespace, slash, name = path.rpartition("/")
        mine = Samples.of(samples).about(
            lambda s: s.name == name and (not colon or s.trial == trial) and (not slash or s.namespace == namespace)
        )
        found = [sample for sample in mine if not cluster or sample.cluster == cluster]
    if not found:
        raise UsageError(
            f"--sample: no sample of {text!r}; give [TRIAL:][NAMESPACE/]NAME[@WEC] as samples.csv has them, or "
            "slowest:STAGE"
        )
    return max(found, key=lambda s: (s.seconds is None, s.seconds or 0.0))


def slowest(samples: Sequence[Sample], stage: str, count: int) -> list[Sample]:
    """The slowest counted samples of a stage, one per object; those that are missing are listed elsewhere."""
    chosen: dict[tuple[str, str, str], Sample] = {}
    for sample in Samples.of(samples).of_stages(stage).counted.slowest_first():
        chosen.setdefault((sample.trial, sample.namespace, sample.name), sample)
        if len(chosen) == count:
            break
    return list(chosen.values())


def timelines(
    folder: RunFolder, written: int, samples: Sequence[Sample], wanted: Sequence[Sample], source: str
) -> list[Timeline]:
    """One per wanted sample; reads events.jsonl again. `written`: the format of the folder, `source`: where objects are
    sent to unless they say otherwise."""
    threads = [_thread(samples, sample) for sample in wanted]
    if not threads:
        return []
    for _ in range(_PASSES):
        before = [len(thread.keys) for thread in threads]
        for thread in threads:
            thread.entries.clear()
        _read(folder, written, threads, source)
        if [len(thread.keys) for thread in threads] == before:
            break
    return [
        Timeline(thread.sample, thread.siblings, sorted(thread.entries, key=lambda entry: entry.ns))
        for thread in threads
    ]


def _thread(samples: Sequence[Sample], sample: Sample) -> _Thread:
    key = (sample.trial, sample.namespace, sample.name)
    mine = Samples.of(samples).about(lambda s: (s.trial, s.namespace, s.name) == key)
    siblings = [s for s in mine if not sample.cluster or s.cluster in ("", sample.cluster)]
    stamps = [ns for s in siblings for ns in (s.start_ns, s.end_ns) if ns is not None]
    return _Thread(
        sample, siblings, needles={sample.name.encode()}, begin=min(stamps, default=0), end=max(stamps, default=0)
    )


def _read(folder: RunFolder, written: int, threads: Sequence[_Thread], source: str) -> None:
    decode = decoder(written)
    with open_log(folder.log) as file:
        try:
            for line in file:
                beside = any(mark in line for mark in _BESIDE)
                near = [t for t in threads if beside or any(needle in line for needle in t.needles)]
                if not near:
                    continue
                try:
                    event = decode(line)
                except msgspec.DecodeError:
                    continue  # counted, and said, by the first reading
                for thread in near:
                    entry = _beside(thread, event, line) if beside else _entry(thread, event, line, source)
                    if entry is not None:
                        thread.entries.append(entry)
        except EOFError:
            return  # packed and cut off: as above


def _raw(line: bytes) -> str:
    return line.decode(errors="replace").strip()


def _beside(thread: _Thread, event: Line, line: bytes) -> Entry | None:
    if not thread.begin <= event.ns <= thread.end:
        return None
    match event:
        case GapSeen():
            blind = (event.ns - event.start_ns) / 1e9
            return Entry(
                event.ns, event.cluster, f"watch of {event.resource} was blind for {blind:.3f} s", _raw(line), True
            )
        case ClusterState():
            return Entry(event.ns, event.cluster, f"cluster {event.state}: {event.reason}", _raw(line), True)
        case FaultInjected() | FaultHealed():
            verb = "fault" if isinstance(event, FaultInjected) else "healed"
            return Entry(event.ns, "fleet", f"{verb}: {event.action} of {event.target}", _raw(line), True)
        case ProgramChanged():
            what = "is gone" if event.new_pid == 0 else "was started again"
            return Entry(event.ns, event.cluster or event.machine, f"{event.program} {what}", _raw(line), True)
        case _:
            return None


def _entry(thread: _Thread, event: Line, line: bytes, source: str) -> Entry | None:
    sample = thread.sample
    told, where = None, "driver"
    match event:
        case Planned():
            told = _planned(thread, event)
        case Sent() if event.op in thread.ops:
            told = _sent(thread, event)
        case WorkloadSeen() if event.op in thread.ops:
            if sample.cluster and event.cluster not in (sample.cluster, sample.source or source):
                return None  # its copy in another WEC
            where, told = event.cluster, _workload(thread, event)
        case HopSeen():
            where, told = event.cluster, _hop(thread, event)
        case MarkSeen() if _is_object(event, sample):
            where, told = event.cluster, f"{event.mark}: {event.resource.partition('.')[0]} {event.type}"
        case Requested() if _is_object(event, sample):
            where, told = event.cluster, f"{event.op} answered with {event.code or event.error}"
        case _:
            pass
    return None if told is None else Entry(event.ns, where, told, _raw(line))


def _is_object(event: MarkSeen | Requested, sample: Sample) -> bool:
    return (event.trial, event.namespace, event.name) == (sample.trial, sample.namespace, sample.name)


def _planned(thread: _Thread, event: Planned) -> str | None:
    sample = thread.sample
    if (event.trial, event.ref.namespace, event.ref.name) != (sample.trial, sample.namespace, sample.name):
        return None
    thread.ops.add(event.op)
    thread.needles.add(event.op.encode())
    thread.learn(("op", event.op))
    thread.refs.add(_parts(event.ref))
    return f"planned for {len(event.clusters)} WEC{'s' if len(event.clusters) != 1 else ''}"


def _sent(thread: _Thread, event: Sent) -> str:
    for ref in thread.refs:
        thread.learn(("rv", event.rv, *ref))
    took = (event.ns - event.sent_ns) / 1e9
    return f"request answered with {event.code or 'nothing'} after {took:.3f} s{event.error and f': {event.error}'}"


def _workload(thread: _Thread, event: WorkloadSeen) -> str:
    thread.learn(("rv", event.rv, *_parts(event.ref)))
    return f"{event.ref.resource} {event.type}{' with a status' if event.status else ''}"


def _hop(thread: _Thread, event: HopSeen) -> str | None:
    wecs = {fact.wec for fact in event.facts if _about(thread, fact.about)}
    cluster = thread.sample.cluster
    if not wecs or (cluster and not wecs & {"", cluster}):
        return None
    for key in event.gives:
        thread.learn(key)
    return f"{event.hop or 'seen'}: {event.resource.partition('.')[0]} {event.name} {event.type}"


def _about(thread: _Thread, about: Key) -> bool:
    return about in thread.keys or (about[:-_REF] in thread.keys and about[-_REF:] in thread.refs)


def _parts(ref: ObjectRef) -> tuple[str, ...]:
    return tuple(msgspec.structs.astuple(ref))


def told_lines(found: Timeline) -> Iterator[tuple[str, str, str, str]]:
    """Seconds since the sample's start, seconds since the line before, where, what."""
    former: int | None = None
    for entry in found.entries:
        since = "" if former is None else f"{(entry.ns - former) / 1e9:+.3f}"
        yield f"{(entry.ns - found.start_ns) / 1e9:+.3f}", since, entry.where, entry.what
        former = entry.ns
