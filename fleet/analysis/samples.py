"""Samples: one row per stage of each object and WEC, made from the marks; nothing vanishes, missing rows stay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import msgspec

from fleet.analysis.hop_table import READY, REPORTED, HopTable
from fleet.analysis.setting import LAYOUTS, Setting
from fleet.analysis.tracks import OWN, UNKNOWN, Original, Stamp, Track, first, last
from fleet.results.events import TrialPlan

COLUMNS = (
    "repeat",
    "layout",
    "wecs",
    "policy",
    "kind",
    "namespace",
    "name",
    "cluster",
    "stage",
    "start_ns",
    "end_ns",
    "seconds",
    "server_seconds",
    "flags",
    "point",
    "source",
)
"""Of samples.csv and samples.parquet, in this order."""

Flag = Literal[
    "already",
    "bundled",
    "cluster-down",
    "disturbed",
    "gap",
    "late",
    "listed",
    "missing",
    "negative",
    "planned-fault",
    "recreated",
    "warmup",
]
"""already: the source showed the complete status before the last WEC had reported; bundled: what carries the object was
there before it, so the stages through it have no meaning; cluster-down: a cluster on its way was down meanwhile;
disturbed: something happened to the fleet in its trial that nobody planned (see `disturbances`); gap, listed: one end's
true moment is not known; late: after the object timeout; missing: never ended; negative: ends before it starts, two
watches raced; planned-fault: the experiment itself disturbed its trial; recreated: the WEC object was replaced; warmup:
not counted."""

__all__ = [
    "COLUMNS",
    "LAYOUTS",
    "UNCOUNTED",
    "Downs",
    "Ends",
    "Flag",
    "Sample",
    "Setting",
    "TrialRows",
    "own_sample",
    "with_stage",
]

Ends = tuple[int | None, int | None]
"""When a sample starts and ends, the driver's nanoseconds; None where that was not seen."""
UNCOUNTED = frozenset({"warmup", "bundled"})
"""Samples with one of these are kept and never summed up."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One latency: a stage of one object, in one WEC where `cluster` is named. Times are the driver's, nanoseconds."""

    trial: str
    repeat: int
    """-1 for a warm-up."""
    layout: str
    wecs: int
    policy: str
    kind: str
    namespace: str
    name: str
    cluster: str
    """Empty for a stage that is one sample per object; of `downsync_last`, the WEC that was last."""
    stage: str
    start_ns: int | None
    end_ns: int | None
    """None when missing."""
    seconds: float | None
    server_seconds: float | None
    """From the API servers' whole-second stamps, where both ends have one."""
    flags: tuple[str, ...]
    """Of `Flag`, in the order of their names."""
    point: str = ""
    """What is swept besides layout and WECs, as `policies=5`."""
    source: str = ""
    """Where the object was sent to."""
    versions: tuple[int, int] = (UNKNOWN, UNKNOWN)
    """Of the lines that its ends are from (`fleet.analysis.tracks.Stamp`)."""

    @property
    def setting(self) -> Setting:
        """What it belongs together with."""
        return Setting(self.layout, self.wecs, self.point)

    @property
    def counted(self) -> bool:
        """It belongs in the summary, as a latency or as a missing one."""
        return UNCOUNTED.isdisjoint(self.flags)


def own_sample(
    plan: TrialPlan,
    stage: str,
    ends: Ends,
    *,
    kind: str,
    name: str,
    cluster: str,
    namespace: str = "",
    flags: Iterable[Flag] = (),
) -> Sample:
    """One of an experiment with marks of its own; `ends` are start and end. It is flagged warmup, missing and negative
    by what the trial and the ends are."""
    seconds, said = _between(ends, {*flags, *(["warmup"] if plan.repeat < 0 else [])})
    return Sample(
        trial=plan.trial,
        repeat=plan.repeat,
        layout="",
        wecs=plan.wecs,
        policy="",
        kind=kind,
        namespace=namespace,
        name=name,
        cluster=cluster,
        stage=stage,
        start_ns=ends[0],
        end_ns=ends[1],
        seconds=seconds,
        server_seconds=None,
        flags=said,
        point=plan.point,
    )


def with_stage(sample: Sample, stage: str, ends: Ends, *, flags: Iterable[str] = ()) -> Sample:
    """Another stage of the same object in the same WEC; of its flags only `flags` and those of the new ends."""
    seconds, said = _between(ends, flags)
    return msgspec.structs.replace(
        sample, stage=stage, start_ns=ends[0], end_ns=ends[1], seconds=seconds, server_seconds=None, flags=said
    )


def _between(ends: Ends, flags: Iterable[str]) -> tuple[float | None, tuple[str, ...]]:
    """Seconds from one end to the other, and the flags with what the ends are."""
    start_ns, end_ns = ends
    if start_ns is None or end_ns is None:
        return None, tuple(sorted({*flags, "missing"}))
    seconds = (end_ns - start_ns) / 1e9
    return seconds, tuple(sorted({*flags, *(["negative"] if seconds < 0 else [])}))


@dataclass(slots=True)
class Downs:
    """When each cluster did not answer: `[from, to)` in the driver's nanoseconds, `to` None while it lasts."""

    spans: dict[str, list[tuple[int, int | None]]] = field(default_factory=dict)

    def mark(self, cluster: str, state: str, ns: int) -> None:
        """A cluster went `down` or came `up`."""
        spans = self.spans.setdefault(cluster, [])
        lasting = bool(spans) and spans[-1][1] is None
        if state == "down" and not lasting:
            spans.append((ns, None))
        elif state == "up" and lasting:
            spans[-1] = (spans[-1][0], ns)

    def overlap(self, clusters: Sequence[str], start: int, end: int | None) -> bool:
        """One of the clusters was down some time between; `end` None for a sample that never ended."""
        return any(
            (end is None or down <= end) and (up is None or up >= start)
            for cluster in clusters
            for down, up in self.spans.get(cluster, ())
        )


@dataclass(slots=True)
class TrialRows:
    """Makes the samples of one trial."""

    table: HopTable
    plan: TrialPlan
    downs: Downs
    transports: Mapping[str, str]
    """By source the cluster that every sample of its objects depends on too; under the empty name that of any other."""
    ended_ns: int | None
    """When the next trial began: until then a sample without an end could have been hit by a cluster that was down.
    An end that came later still counts."""
    timeout_ns: int | None
    """A sample that ends so long after the trial's first send, in an open loop after its own moment, is late."""
    first_sent_ns: int | None = None

    def rows(self, original: Original) -> Iterator[Sample]:
        """Every sample of one object, in the order of the stages, per-WEC stages in the order of the WECs' names."""
        tracks = [original.tracks[name] for name in sorted(original.tracks)]
        names = [track.cluster for track in tracks]
        due = self._scheduled(original)
        if due is not None:
            yield self._row(original, "send_lag", due, original.left, [])
        for stage in self.table.object_stages:
            yield self._row(original, stage.name, original.at(stage.begins), original.at(stage.ends), [])
        for track in tracks:
            yield from self._downsync(original, track)
        if self.plan.layout == "one-to-many":
            yield from self._fan_out(original, tracks)
        if original.mode == "none":
            return
        for track in tracks:
            yield from self._status(original, track)
        yield from self._final(original, names)

    def _status(self, original: Original, track: Track) -> Iterator[Sample]:
        """Per WEC, on the way back."""
        extra, one = ("recreated",) if track.recreated else (), [track.cluster]
        yield self._row(original, "workload", track.activated, track.ready, one, extra=extra)
        for stage in self.table.status_stages:
            yield self._row(original, stage.name, track.at(stage.begins), track.at(stage.ends), one, extra=extra)

    def _final(self, original: Original, names: list[str]) -> Iterator[Sample]:
        """Per object, on the way back."""
        t0 = original.created
        if not original.returns:
            if self.table.reports:
                yield self._row(original, "e2e_reported", t0, original.at(REPORTED), names, label="")
            return
        end = original.finalized
        extra = ("already",) if original.already else ()
        for stage in self.table.final_stages:
            ends = original.at(stage.begins), original.at(stage.ends)
            yield self._row(original, stage.name, *ends, names, label="", extra=extra)
        yield self._row(original, "status", original.at(READY), end, names, label="", extra=extra)
        yield self._row(original, "e2e", t0, end, names, label="", extra=extra)
        due = self._scheduled(original)
        if due is not None:
            yield self._row(original, "e2e_scheduled", due, end, names, label="", extra=extra)

    def _downsync(self, original: Original, track: Track) -> Iterator[Sample]:
        t0, one = original.created, [track.cluster]
        begins = self._downsync_begins(original)
        for stage in self.table.wec_stages:
            there = track.at(stage.bundled) if stage.bundled else None
            extra = ("bundled",) if t0 is not None and there is not None and there.ns < t0.ns else ()
            yield self._row(original, stage.name, track.at(stage.begins), track.at(stage.ends), one, extra=extra)
        recreated = ("recreated",) if track.recreated else ()
        yield self._row(original, "downsync", begins, track.activated, one, extra=recreated)
        due = self._scheduled(original)
        if due is not None:
            yield self._row(original, "downsync_scheduled", due, track.activated, one, extra=recreated)

    def _downsync_begins(self, original: Original) -> Stamp | None:
        return original.left if self.table.manager.downsync_begins == "sent" else original.created

    def _deadline(self, original: Original) -> int | None:
        begin = original.scheduled_ns if self.plan.load else self.first_sent_ns
        return None if self.timeout_ns is None or begin is None else begin + self.timeout_ns

    def _scheduled(self, original: Original) -> Stamp | None:
        """When an open loop was to send it: latencies from here leave no wait out that the driver itself caused."""
        due = original.scheduled_ns if self.plan.load else None
        return None if due is None else Stamp(due, version=OWN)

    def _fan_out(self, original: Original, tracks: list[Track]) -> Iterator[Sample]:
        names = [track.cluster for track in tracks]
        end = last(track.activated for track in tracks)
        where = next((track.cluster for track in tracks if end is not None and track.activated is end), "")
        yield self._row(original, "downsync_last", self._downsync_begins(original), end, names, label=where)
        if len(tracks) > 1:
            begin = first(track.activated for track in tracks)
            yield self._row(original, "downsync_spread", begin, end, names, label="")

    def _row(
        self,
        original: Original,
        stage: str,
        start: Stamp | None,
        end: Stamp | None,
        clusters: list[str],
        *,
        label: str | None = None,
        extra: tuple[str, ...] = (),
    ) -> Sample:
        planned, plan = original.planned, self.plan
        transport = self.transports.get(original.source, self.transports.get("", ""))
        way = [original.source, transport, *clusters]
        whole = start is not None and end is not None
        nanoseconds = end.ns - start.ns if start is not None and end is not None else None
        return Sample(
            trial=plan.trial,
            repeat=plan.repeat,
            layout=plan.layout,
            wecs=plan.wecs,
            policy=planned.policy,
            kind=planned.kind or plan.kind,
            namespace=planned.ref.namespace,
            name=planned.ref.name,
            cluster=label if label is not None else "".join(clusters),
            stage=stage,
            start_ns=None if start is None else start.ns,
            end_ns=end.ns if whole and end is not None else None,
            seconds=None if nanoseconds is None else nanoseconds / 1e9,
            server_seconds=_server_seconds(start, end),
            point=plan.point,
            source=original.source,
            versions=(UNKNOWN, UNKNOWN) if start is None or end is None else (start.version, end.version),
            flags=tuple(sorted({*self._flags(start, end, way, nanoseconds, self._deadline(original)), *extra})),
        )

    def _flags(
        self,
        start: Stamp | None,
        end: Stamp | None,
        clusters: list[str],
        nanoseconds: int | None,
        deadline: int | None,
    ) -> Iterator[Flag]:
        if self.plan.repeat < 0:
            yield "warmup"
        if nanoseconds is None:
            yield "missing"
        elif nanoseconds < 0:
            yield "negative"
        for one in (start, end):
            if one is not None and one.listed:
                yield "listed"
            if one is not None and one.gap:
                yield "gap"
        if end is not None and deadline is not None and end.ns > deadline:
            yield "late"
        began = self.plan.ns if start is None else start.ns
        stopped = self.ended_ns if end is None or nanoseconds is None else end.ns
        if self.downs.spans and self.downs.overlap(clusters, began, stopped):
            yield "cluster-down"


def _server_seconds(start: Stamp | None, end: Stamp | None) -> float | None:
    if start is None or end is None or not start.server or not end.server:
        return None
    return (datetime.fromisoformat(end.server) - datetime.fromisoformat(start.server)).total_seconds()
