"""What is known of one object: its marks at the source, and one track per WEC that must get it. Links only, no lookups.

Every rule here depends on receipt stamps and on the order inside one cluster, never on which cluster's line came
first: watches of different clusters race. So marks are the smallest stamp that fits, and may be set late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fleet.analysis.aggregate import Part, aggregate, normal_digest
from fleet.analysis.final import covers
from fleet.analysis.hop_table import ACTIVATED, CREATED, FINALIZED, READY, REPORTED, HopTable
from fleet.results.events import Key, Planned, Seen

UNKNOWN, OWN = 0, -1
COMPLETE, INCOMPLETE = b"complete", b"incomplete"
"""In place of a status's digest, where a manager counts."""


class Stamp(NamedTuple):
    """The receipt of one line: `ns` on the driver's clock; `server` only where the line is the object's creation."""

    ns: int
    server: str = ""
    listed: bool = False
    gap: bool = False
    version: int = UNKNOWN
    """Of the object in that line (`version_of`), by which its write is found in an audit log; `OWN`: the driver's own
    moment, which no watch delivered."""

    @property
    def order(self) -> tuple[int, str, bool, bool]:
        """By which stamps are compared: of two with the same moment no version comes first."""
        return self[:4]


def _order(one: Stamp) -> tuple[int, str, bool, bool]:
    return one.order


def version_of(cluster: str, rv: str) -> int:
    """A short name for one version of one object, good within this process: a million must not take much memory."""
    return hash((cluster, rv))


def stamp(seen: Seen, server: str = "") -> Stamp:
    """The stamp of a watch line. The server's creationTimestamp says when this was only if it was the creation."""
    version = version_of(seen.cluster, seen.rv)
    return Stamp(seen.ns, server if seen.type == "ADDED" else "", seen.listed, seen.gap, version)


class Final(NamedTuple):
    """A final status in a WEC."""

    at: Stamp
    part: Part | None
    """What it adds to the aggregate."""
    status: Any
    """Itself, where reports are compared in the fields that they have."""


@dataclass(slots=True, eq=False)
class Track:
    """One object in one WEC."""

    original: Original
    cluster: str
    marks: dict[str, Stamp] = field(default_factory=dict)
    """Of the manager's own hops."""
    versions: dict[str, list[tuple[int, Stamp]]] = field(default_factory=dict)
    """By mark that waits for a version: each line's version and receipt, until it is settled."""
    keys: set[Key] = field(default_factory=set)
    """By which other hops are about it."""
    holders: set[str] = field(default_factory=set)
    """uids of the objects that may own it in the WEC."""
    uid: str = ""
    """Of the object in the WEC."""
    owners: set[str] = field(default_factory=set)
    appeared: Stamp | None = None
    """First line of that uid with the op-id: becomes `activated` once its owner is one of `holders`."""
    activated: Stamp | None = None
    recreated: bool = False
    """The object in the WEC was replaced by another uid after it was activated."""
    finals: dict[bytes, Final] = field(default_factory=dict)
    """By digest, each final status seen in the WEC, at its first receipt."""
    returned: dict[bytes, Stamp] = field(default_factory=dict)
    """Digest of each status that was reported, and its first receipt."""
    partial: dict[bytes, Any] = field(default_factory=dict)
    """Reported fields by their digest, where only some fields are reported."""
    reported: Stamp | None = None
    reported_digest: bytes = b""
    """Of the final status that was reported."""

    @property
    def ready(self) -> Stamp | None:
        """First final status of the activated object."""
        if self.activated is None or not self.finals:
            return None
        return next(iter(self.finals.values())).at

    def at(self, mark: str) -> Stamp | None:
        """When that mark was reached; of an object's mark, the object's."""
        match mark:
            case "activated":
                return self.activated
            case "ready":
                return self.ready
            case "reported":
                return self.reported
            case _:
                of_wec = self.original.table.rows[mark].per == "wec"
                return self.marks.get(mark) if of_wec else self.original.at(mark)

    def reach(self, mark: str, at: Stamp) -> None:
        """A line fits that mark; the earliest one is it."""
        known = self.marks.get(mark)
        if known is None or at.order < known.order:
            self.marks[mark] = at

    def offer(self, mark: str, version: int, at: Stamp) -> None:
        """A line fits that mark if the version suffices."""
        if mark not in self.marks:
            self.versions.setdefault(mark, []).append((version, at))
            self.settle(mark)

    def settle(self, mark: str) -> None:
        """First line of a version that is that of the mark it waits for, or later."""
        least = self.original.versions.get(self.original.table.rows[mark].not_before)
        if least is None:
            return
        fits = [at for version, at in self.versions.get(mark, ()) if version >= least]
        if fits:
            self.marks[mark] = min(fits, key=_order)

    def hold(self, uid: str) -> None:
        """An object of that uid may own it in the WEC."""
        self.holders.add(uid)
        self._settle_activated()

    def appear(self, uid: str, owners: list[str], at: Stamp) -> None:
        """The object was seen in the WEC with the op-id. An agent may set its owner only in a second write."""
        if uid != self.uid:
            if self.activated is not None:
                self.recreated = True
            else:
                self.owners.clear()
                self.appeared = at
                self.finals.clear()
            self.uid = uid
        if self.activated is None:
            self.owners.update(owners)
            self._settle_activated()

    def final(self, digest: bytes, at: Stamp, part: Part | None, status: Any) -> bool:
        """The object's status in the WEC was final; True when that is news."""
        if digest in self.finals:
            return False
        self.finals[digest] = Final(at, part, status if self.original.in_fields else None)
        if self.original.in_fields:
            for reported, fields in self.partial.items():
                if covers(status, fields):
                    self._settle_reported(self.returned[reported], digest)
        elif digest in self.returned:
            self._settle_reported(self.returned[digest], digest)
        return True

    def report(self, digest: bytes, at: Stamp, fields: Any) -> bool:
        """A report on this object in this WEC had that status; True when that is news. `fields` are what it had, where
        only some are reported."""
        if digest in self.returned:
            return False
        self.returned[digest] = at
        if self.original.in_fields:
            self.partial[digest] = fields
            for final, known in self.finals.items():
                if covers(known.status, fields):
                    self._settle_reported(at, final)
        elif digest in self.finals:
            self._settle_reported(at, digest)
        return True

    def last_reported(self) -> bytes:
        """Digest of the newest final status that was reported; there is one once the track has `reported`."""
        if not self.original.in_fields:
            return next(digest for digest in reversed(self.finals) if digest in self.returned)
        every = self.partial.values()
        return next(d for d in reversed(self.finals) if any(covers(self.finals[d].status, one) for one in every))

    def _settle_activated(self) -> None:
        if self.activated is None and not (self.original.table.owner and self.owners.isdisjoint(self.holders)):
            self.activated = self.appeared

    def _settle_reported(self, at: Stamp, digest: bytes) -> None:
        if self.reported is None:
            self.original.unreported -= 1
        if self.reported is None or at.order < self.reported.order:
            self.reported = at
            self.reported_digest = digest


@dataclass(slots=True, eq=False)
class Original:
    """One planned object: at its source, with a track for each WEC that must get it."""

    planned: Planned
    source: str
    """Where it was sent to."""
    table: HopTable
    tracks: dict[str, Track] = field(default_factory=dict)
    mode: str = ""
    """How its status returns: `copy`, `aggregate`, `counts`, `report` or `none`."""
    in_fields: bool = False
    """Reports have some fields of the status only."""
    scheduled_ns: int | None = None
    sent_ns: int | None = None
    """Of the first attempt."""
    uid: str = ""
    created: Stamp | None = None
    marks: dict[str, Stamp] = field(default_factory=dict)
    """Of the manager's own hops, those per object."""
    versions: dict[str, int] = field(default_factory=dict)
    """Of what the object was in at each of these marks."""
    keys: set[Key] = field(default_factory=set)
    """By which other hops are about it."""
    statuses: list[tuple[Stamp, bytes]] = field(default_factory=list)
    """Each change of what the source shows of its status."""
    unreported: int = 0
    """Tracks without `reported`."""
    finalized: Stamp | None = None
    already: bool = False
    """The source showed the complete status before the last WEC had reported."""

    def __post_init__(self) -> None:
        self.tracks = {cluster: Track(self, cluster) for cluster in self.planned.clusters}
        ref, table = self.planned.ref, self.table
        self.unreported = len(self.tracks) if table.reports else 0
        self.in_fields = table.reports and table.rows[REPORTED].compares == "fields"
        self.mode = table.mode(self.planned.status, ref.group, ref.resource, len(self.tracks))

    @property
    def left(self) -> Stamp | None:
        """When the driver sent it first."""
        return None if self.sent_ns is None else Stamp(self.sent_ns, version=OWN)

    @property
    def returns(self) -> bool:
        """Its status comes back to the source."""
        return self.mode in ("copy", "aggregate", "counts")

    def at(self, mark: str) -> Stamp | None:
        """When that mark of the object was reached; of a mark per WEC, in the last of them."""
        if mark == CREATED:
            return self.created
        if mark == FINALIZED:
            return self.finalized
        if mark in (ACTIVATED, READY, REPORTED) or self.table.rows[mark].per == "wec":
            return last(track.at(mark) for track in self.tracks.values())
        return self.marks.get(mark)

    def reach(self, mark: str, version: int, at: Stamp) -> bool:
        """A line fits that mark; True when it is the earliest."""
        known = self.marks.get(mark)
        if known is not None and known.order <= at.order:
            return False
        self.marks[mark], self.versions[mark] = at, version
        return True

    def show(self, digest: bytes, at: Stamp) -> bool:
        """The source shows this status from then on; True when that is news."""
        if self.statuses and self.statuses[-1][1] == digest:
            return False
        self.statuses.append((at, digest))
        return True

    def settle_finalized(self) -> None:
        """Find when the source first showed what the WECs report. Computed again: a late line may move it."""
        self.finalized, self.already = None, False
        tracks = self.tracks.values()
        if self.unreported:
            return
        if self.mode == "copy":
            good = {digest for track in tracks for digest in track.finals if digest in track.returned}
            self.finalized = next((at for at, digest in self.statuses if digest in good), None)
            return
        complete = self.at(REPORTED if self.table.reports else READY)
        if complete is None:
            return
        good = {COMPLETE} if self.mode == "counts" else {self._expected(latest=False), self._expected(latest=True)}
        for index, (at, digest) in enumerate(self.statuses):
            ended = self.statuses[index + 1][0].ns if index + 1 < len(self.statuses) else None
            if digest in good and (ended is None or ended > complete.ns):
                self.already = at.ns < complete.ns
                self.finalized = Stamp(complete.ns, "", at.listed, at.gap, complete.version) if self.already else at
                return

    def _expected(self, *, latest: bool) -> bytes:
        parts = []
        for track in self.tracks.values():
            digest = track.reported_digest
            if latest:
                digest = track.last_reported()
            part = track.finals[digest].part
            if part is not None:
                parts.append(part)
        ref = self.planned.ref
        return normal_digest(aggregate(self.table.aggregations[ref.group, ref.resource], parts))


def first(stamps: Iterator[Stamp | None]) -> Stamp | None:
    """The earliest of those that are there."""
    return min((one for one in stamps if one is not None), key=_order, default=None)


def last(stamps: Iterator[Stamp | None]) -> Stamp | None:
    """The latest; None unless all are there."""
    every = list(stamps)
    known = [one for one in every if one is not None]
    return max(known, key=_order) if known and len(known) == len(every) else None


def counted(status: Any, wecs: int) -> bytes:
    """Whether the numbers of a manager say that the object is complete in that many WECs."""
    numbers = status if isinstance(status, Mapping) else {}
    return COMPLETE if numbers and all(value == wecs for value in numbers.values()) else INCOMPLETE
