"""What is known of one object: its marks in the WDS, and one track per WEC that must get it. Links only, no lookups.

Every rule here depends on receipt stamps and on the order inside one cluster, never on which cluster's line came
first: watches of different clusters race. So marks are the smallest stamp that fits, and may be set late.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from fleet.analysis.aggregate import Part, aggregate, aggregates, normal_digest
from fleet.results.events import Planned, Seen


class Stamp(NamedTuple):
    """The receipt of one line: `ns` on the driver's clock; `server` only where the line is the object's creation."""

    ns: int
    server: str = ""
    listed: bool = False
    gap: bool = False


def stamp(seen: Seen, server: str = "") -> Stamp:
    """The stamp of a watch line. The server's creationTimestamp tells when this was only if it was the creation."""
    return Stamp(seen.ns, server if seen.type == "ADDED" else "", seen.listed, seen.gap)


@dataclass(slots=True, eq=False)
class Track:
    """One object in one WEC."""

    original: Original
    cluster: str
    wrapped: list[tuple[int, Stamp]] = field(default_factory=list)
    """Binding generation of each ManifestWork line that held the op-id, until `packaged` is settled."""
    works: set[str] = field(default_factory=set)
    """uids of the ManifestWorks that held the op-id."""
    packaged: Stamp | None = None
    applied: set[str] = field(default_factory=set)
    """uids of the AppliedManifestWorks of those ManifestWorks."""
    delivered: Stamp | None = None
    uid: str = ""
    """Of the object in the WEC."""
    owners: set[str] = field(default_factory=set)
    appeared: Stamp | None = None
    """First line of that uid with the op-id: becomes `activated` once its owner is one of `applied`."""
    activated: Stamp | None = None
    recreated: bool = False
    """The object in the WEC was replaced by another uid after it was activated."""
    finals: dict[bytes, tuple[Stamp, Part | None]] = field(default_factory=dict)
    """Digest of each final status seen in the WEC, its first receipt, and what it adds to the aggregate."""
    returned: dict[bytes, Stamp] = field(default_factory=dict)
    """Digest of each status that a WorkStatus had, and its first receipt."""
    reported: Stamp | None = None
    reported_digest: bytes = b""

    @property
    def ready(self) -> Stamp | None:
        """First final status of the activated object."""
        if self.activated is None or not self.finals:
            return None
        return next(iter(self.finals.values()))[0]

    def wrap(self, generation: int, at: Stamp) -> None:
        """A ManifestWork line held the op-id, wrapped at that Binding generation."""
        if self.packaged is None:
            self.wrapped.append((generation, at))
            self.settle_packaged()

    def settle_packaged(self) -> None:
        """First ManifestWork line wrapped at the generation that bound the object, or later."""
        if self.original.bound is None:
            return
        fits = [at for generation, at in self.wrapped if generation >= self.original.generation]
        if fits:
            self.packaged = min(fits)

    def deliver(self, uid: str, at: Stamp) -> None:
        """The AppliedManifestWork `uid` of one of its ManifestWorks was first seen then."""
        self.applied.add(uid)
        if self.delivered is None or at < self.delivered:
            self.delivered = at
        self._settle_activated()

    def appear(self, uid: str, owners: list[str], at: Stamp) -> None:
        """The object was seen in the WEC with the op-id. The agent may set its owner only in a second write."""
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

    def final(self, digest: bytes, at: Stamp, part: Part | None) -> bool:
        """The object's status in the WEC was final; True when that is news."""
        if digest in self.finals:
            return False
        self.finals[digest] = (at, part)
        self._settle_reported(digest)
        return True

    def report(self, digest: bytes, at: Stamp) -> bool:
        """A WorkStatus of this object in this WEC had that status; True when that is news."""
        if digest in self.returned:
            return False
        self.returned[digest] = at
        self._settle_reported(digest)
        return True

    def _settle_activated(self) -> None:
        if self.activated is None and not self.owners.isdisjoint(self.applied):
            self.activated = self.appeared

    def _settle_reported(self, digest: bytes) -> None:
        at = self.returned.get(digest)
        if at is None or digest not in self.finals:
            return
        if self.reported is None:
            self.original.unreported -= 1
        if self.reported is None or at < self.reported:
            self.reported = at
            self.reported_digest = digest


@dataclass(slots=True, eq=False)
class Original:
    """One planned object: in the WDS, with a track for each WEC that must get it."""

    planned: Planned
    wds: str
    """Where it was sent to."""
    tracks: dict[str, Track] = field(default_factory=dict)
    mode: str = ""
    """How its status returns: `copy`, `aggregate`, `report` or `none`."""
    scheduled_ns: int | None = None
    sent_ns: int | None = None
    """Of the first attempt."""
    uid: str = ""
    created: Stamp | None = None
    bound: Stamp | None = None
    generation: int = 0
    """Of the Binding at `bound`."""
    statuses: list[tuple[Stamp, bytes]] = field(default_factory=list)
    """Each change of its status in the WDS."""
    unreported: int = 0
    """Tracks without `reported`."""
    finalized: Stamp | None = None
    already: bool = False
    """The WDS showed the final aggregate before the last WEC had reported."""

    def __post_init__(self) -> None:
        self.tracks = {cluster: Track(self, cluster) for cluster in self.planned.clusters}
        self.unreported = len(self.tracks)
        self.mode = self.planned.status
        if self.mode == "aggregate" and len(self.tracks) == 1:
            self.mode = "copy"  # KubeStellar aggregates over two WECs or more only
        elif self.mode == "aggregate" and not aggregates(self.planned.ref.group, self.planned.ref.resource):
            self.mode = "report"

    @property
    def left(self) -> Stamp | None:
        """When the driver sent it first."""
        return None if self.sent_ns is None else Stamp(self.sent_ns)

    @property
    def returns(self) -> bool:
        """Its status comes back to the WDS."""
        return self.mode in ("copy", "aggregate")

    def bind(self, generation: int, at: Stamp) -> bool:
        """A clause of its Binding named it; True when that is news."""
        if self.bound is not None and self.bound <= at:
            return False
        self.bound, self.generation = at, generation
        return True

    def show(self, digest: bytes, at: Stamp) -> bool:
        """The WDS shows this status from then on; True when that is news."""
        if self.statuses and self.statuses[-1][1] == digest:
            return False
        self.statuses.append((at, digest))
        return True

    def settle_finalized(self) -> None:
        """Find when the WDS first showed what the WECs report. Computed anew: a late line may move it."""
        self.finalized, self.already = None, False
        tracks = self.tracks.values()
        if self.unreported:
            return
        if self.mode == "copy":
            good = {digest for track in tracks for digest in track.finals if digest in track.returned}
            self.finalized = next((at for at, digest in self.statuses if digest in good), None)
            return
        last = max(track.reported for track in tracks if track.reported is not None)
        good = {self._expected(latest=False), self._expected(latest=True)}
        for index, (at, digest) in enumerate(self.statuses):
            ended = self.statuses[index + 1][0].ns if index + 1 < len(self.statuses) else None
            if digest in good and (ended is None or ended > last.ns):
                self.already = at.ns < last.ns
                self.finalized = Stamp(last.ns, "", at.listed, at.gap) if self.already else at
                return

    def _expected(self, *, latest: bool) -> bytes:
        parts = []
        for track in self.tracks.values():
            digest = track.reported_digest
            if latest:
                digest = next(d for d in reversed(track.finals) if d in track.returned)
            part = track.finals[digest][1]
            if part is not None:
                parts.append(part)
        ref = self.planned.ref
        return normal_digest(aggregate(ref.group, ref.resource, parts))
