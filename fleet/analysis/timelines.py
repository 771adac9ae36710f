"""The join: from watch lines to the marks T0..T8 of every object in every WEC.

Links are exact keys; resourceVersions are compared for equality only, API timestamps are never ordered by:

    T0 created    the WDS object with the planned op-id
    T1 bound      a Binding named like the policy, a clause with a resourceVersion that the WDS object had from T0 on
    T2 packaged   a ManifestWork: namespace = WEC, label = Binding name and WDS, wrapped generation >= that Binding's,
                  a manifest with the op-id
    T4 delivered  in that WEC an AppliedManifestWork whose spec.manifestWorkName is the ManifestWork's name
    T5 activated  in that WEC the object with the op-id, owned by the uid of that AppliedManifestWork
    T6 ready      its status is final (`fleet.analysis.final`)
    T7 reported   a WorkStatus in namespace = WEC, owned by the uid of the ManifestWork, of the same identity, whose
                  status deep-equals a final status of the WEC object
    T8 finalized  the WDS object's status deep-equals that status (one WEC), or the aggregate of all of them
                  (`fleet.analysis.aggregate`) at or after the last T7

Watches race: a line may come before the one that explains it. It is then kept under its key until that one comes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet.analysis.aggregate import aggregates, normal_digest, part
from fleet.analysis.final import digest, is_final
from fleet.analysis.samples import Downs, Sample, TrialRows
from fleet.analysis.tracks import Original, Stamp, Track, stamp
from fleet.results.events import (
    AppliedManifestWorkSeen,
    BindingSeen,
    ClusterState,
    Line,
    ManifestWorkSeen,
    ObjectRef,
    Planned,
    Sent,
    TrialPlan,
    WorkloadSeen,
    WorkStatusSeen,
)

__all__ = ["Join", "Progress", "Sample"]

_PER_WEC = ("packaged", "delivered", "activated")


@dataclass(frozen=True)
class Progress:
    """How far a trial is: per mark (`created`, `bound`, ... `finalized`) how many of how many were seen."""

    done: Mapping[str, int]
    total: Mapping[str, int]

    @property
    def complete(self) -> bool:
        """Every mark of every object was seen; False for a trial of which nothing is planned."""
        return bool(self.total) and all(self.done.get(mark, 0) >= wanted for mark, wanted in self.total.items())


@dataclass(slots=True)
class _Trial:
    plan: TrialPlan
    originals: list[Original] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    first_sent_ns: int | None = None


class Join:
    """Feed it every line in the order of arrival; ask it at any time what is known.

    `wds` is the cluster whose workload lines are the originals of objects that are not planned for another WDS; every
    other cluster's are WECs. `object_timeout` (seconds from a trial's first send) is what makes a sample `late`.
    """

    def __init__(self, *, wds: str = "wds1", object_timeout: float | None = None) -> None:
        self.wds = wds
        self.object_timeout = object_timeout
        self.strays: dict[tuple[str, str], int] = {}
        """(op-id, cluster) of each object that came to a WEC it was not planned for, and when."""
        self._itses: dict[str, str] = {}
        """By WDS: where its ManifestWorks were seen; under the empty name where the last of all was."""
        self._downs = Downs()
        self._trials: dict[str, _Trial] = {}
        self._ops: dict[str, Original] = {}
        self._revisions: dict[tuple[ObjectRef, str], Original] = {}
        self._clauses: dict[tuple[ObjectRef, str], list[tuple[str, int, Stamp]]] = {}
        """Clauses of resourceVersions not yet seen: Binding's name, generation, first receipt."""
        self._works: defaultdict[tuple[str, str], list[Track]] = defaultdict(list)
        """By WEC and ManifestWork's name: tracks whose op-id it held."""
        self._applied: dict[tuple[str, str], tuple[str, Stamp]] = {}
        """By WEC and ManifestWork's name: the AppliedManifestWork's uid and first receipt."""
        self._owned: dict[tuple[str, ObjectRef], Track] = {}
        """By ManifestWork's uid and identity: the track whose status its WorkStatus tells."""
        self._reports: dict[tuple[str, ObjectRef], list[tuple[bytes, Stamp]]] = {}
        """WorkStatuses of ManifestWorks not yet seen."""
        self._takers: dict[type[Line], Callable[[Any], None]] = {
            TrialPlan: self._trial,
            Planned: self._plan,
            Sent: self._sent,
            WorkloadSeen: self._workload,
            BindingSeen: self._binding,
            ManifestWorkSeen: self._work,
            AppliedManifestWorkSeen: self._applied_work,
            WorkStatusSeen: self._work_status,
            ClusterState: self._cluster,
        }

    def feed(self, event: Line) -> None:
        """Take one line. Amortised constant time; lines of other people's objects are passed over."""
        take = self._takers.get(type(event))
        if take is not None:
            take(event)

    def complete(self, trial: str) -> bool:
        """Every mark of every planned object of the trial was seen."""
        return self.progress(trial).complete

    def progress(self, trial: str) -> Progress:
        """Counts per mark; empty for an unknown trial."""
        found = self._trials.get(trial)
        return Progress({}, {}) if found is None else Progress(found.done, found.total)

    def whole(self, op: str) -> bool:
        """Every mark of that object was seen; its status is back, or has been told by every WEC where it cannot be."""
        original = self._ops.get(op)
        if original is None or original.created is None or original.bound is None:
            return False
        if any(track.activated is None for track in original.tracks.values()):
            return False
        if original.mode == "none":
            return True
        return original.finalized is not None if original.returns else not original.unreported

    def samples(self) -> list[Sample]:
        """Every sample of every trial so far, missing ones included, in the order of planning."""
        rows: list[Sample] = []
        trials = list(self._trials.values())
        for number, trial in enumerate(trials):
            timeout = None if self.object_timeout is None else round(self.object_timeout * 1e9)
            after = trials[number + 1].plan.ns if number + 1 < len(trials) else None
            maker = TrialRows(trial.plan, self._downs, self._itses, after, timeout, trial.first_sent_ns)
            for original in trial.originals:
                rows.extend(maker.rows(original))
        return rows

    def _trial(self, event: TrialPlan) -> None:
        self._trials[event.trial] = _Trial(event)

    def _cluster(self, event: ClusterState) -> None:
        self._downs.mark(event.cluster, event.state, event.ns)

    def _workload(self, event: WorkloadSeen) -> None:
        original = self._ops.get(event.op)
        if original is None or event.type == "DELETED":
            return
        if event.cluster == original.wds:
            self._original(original, event)
        else:
            self._copy(original, event)

    def _plan(self, event: Planned) -> None:
        trial = self._trials.get(event.trial)
        if trial is None:
            return
        original = Original(event, event.wds or self.wds)
        self._ops[event.op] = original
        trial.originals.append(original)
        trial.total.update(("created", "bound"))
        for mark in _PER_WEC if original.mode == "none" else (*_PER_WEC, "ready", "reported"):
            trial.total[mark] += len(original.tracks)
        if original.returns:
            trial.total["finalized"] += 1

    def _sent(self, event: Sent) -> None:
        original = self._ops.get(event.op)
        if original is None:
            return
        if original.sent_ns is None:
            original.sent_ns, original.scheduled_ns = event.sent_ns, event.scheduled_ns
        if event.rv:
            self._revise(original, event.rv)
        trial = self._trials[original.planned.trial]
        if trial.first_sent_ns is None or event.sent_ns < trial.first_sent_ns:
            trial.first_sent_ns = event.sent_ns

    def _count(self, original: Original, mark: str, change: int = 1) -> None:
        if change:
            self._trials[original.planned.trial].done[mark] += change

    def _original(self, original: Original, event: WorkloadSeen) -> None:
        at = stamp(event, event.server)
        if original.created is None:
            original.created, original.uid = at, event.uid
            self._count(original, "created")
        elif event.uid != original.uid:
            return
        self._revise(original, event.rv)
        if original.returns and event.status is not None:
            shown = digest(event.status) if original.mode == "copy" else normal_digest(event.status)
            if original.show(shown, at):
                self._settle(original)

    def _revise(self, original: Original, rv: str) -> None:
        """The WDS object had that resourceVersion."""
        key = (original.planned.ref, rv)
        if key not in self._revisions:
            self._revisions[key] = original
            for name, generation, when in self._clauses.pop(key, ()):
                self._bind(original, name, generation, when)

    def _binding(self, event: BindingSeen) -> None:
        if event.type == "DELETED" or not event.clauses:
            return
        at = stamp(event)
        for clause in event.clauses:
            key = (clause.ref, clause.rv)
            original = self._revisions.get(key)
            if original is not None:
                if original.bound is None or at < original.bound:
                    self._bind(original, event.name, event.generation, at)
                continue
            waiting = self._clauses.setdefault(key, [])
            if all(name != event.name for name, _, _ in waiting):
                waiting.append((event.name, event.generation, at))

    def _bind(self, original: Original, name: str, generation: int, at: Stamp) -> None:
        if name != original.planned.policy:
            return
        first = original.bound is None
        if not original.bind(generation, at):
            return
        self._count(original, "bound", int(first))
        for track in original.tracks.values():
            was = track.packaged
            track.settle_packaged()
            self._count(original, "packaged", (track.packaged is not None) - (was is not None))

    def _work(self, event: ManifestWorkSeen) -> None:
        self._itses[event.wds] = self._itses[""] = event.cluster
        if event.type == "DELETED":
            return
        at: Stamp | None = None
        for manifest in event.manifests:
            original = self._ops.get(manifest.op)
            if original is None or (event.wds, event.binding) != (original.wds, original.planned.policy):
                continue
            track = original.tracks.get(event.namespace)
            if track is None:
                self.strays.setdefault((manifest.op, event.namespace), event.ns)
                continue
            if track.packaged is None:
                at = at or stamp(event, event.server)
                track.wrap(event.binding_generation, at)
                self._count(original, "packaged", int(track.packaged is not None))
            if event.uid not in track.works:
                self._link(track, event)

    def _link(self, track: Track, event: ManifestWorkSeen) -> None:
        """A ManifestWork was seen to hold the op-id: join what came before it, and remember it for what comes."""
        track.works.add(event.uid)
        self._works[event.namespace, event.name].append(track)
        applied = self._applied.get((event.namespace, event.name))
        if applied is not None:
            self._deliver(track, *applied)
        key = (event.uid, track.original.planned.ref)
        self._owned[key] = track
        for status, at in self._reports.pop(key, ()):
            self._report(track, status, at)

    def _applied_work(self, event: AppliedManifestWorkSeen) -> None:
        key = (event.cluster, event.work)
        known = self._applied.get(key)
        if event.type == "DELETED":
            if known is not None and known[0] == event.uid:
                del self._applied[key]
            return
        if known is not None and known[0] == event.uid:
            return
        at = stamp(event, event.server)
        self._applied[key] = (event.uid, at)
        for track in self._works.get(key, ()):
            self._deliver(track, event.uid, at)

    def _deliver(self, track: Track, uid: str, at: Stamp) -> None:
        delivered, activated, ready = track.delivered, track.activated, track.ready
        track.deliver(uid, at)
        self._count(track.original, "delivered", int(delivered is None))
        self._count(track.original, "activated", (track.activated is not None) - (activated is not None))
        if track.original.mode != "none":
            self._count(track.original, "ready", (track.ready is not None) - (ready is not None))

    def _copy(self, original: Original, event: WorkloadSeen) -> None:
        """The object in a WEC."""
        track = original.tracks.get(event.cluster)
        if track is None:
            self.strays.setdefault((event.op, event.cluster), event.ns)
            return
        at = stamp(event, event.server)
        activated, ready = track.activated, track.ready
        track.appear(event.uid, event.owners, at)
        self._count(original, "activated", (track.activated is not None) - (activated is not None))
        if original.mode == "none":
            return
        if is_final(event):
            ref = event.ref
            adds = part(ref.group, ref.resource, event.status) if aggregates(ref.group, ref.resource) else None
            reported = track.reported
            if track.final(digest(event.status), at, adds):
                self._count(original, "reported", (track.reported is not None) - (reported is not None))
                self._settle(original)
        self._count(original, "ready", (track.ready is not None) - (ready is not None))

    def _work_status(self, event: WorkStatusSeen) -> None:
        if event.type == "DELETED" or event.status is None:
            return
        key = (event.owner, event.ref)
        track = self._owned.get(key)
        status, at = digest(event.status), stamp(event)
        if track is None:
            self._reports.setdefault(key, []).append((status, at))
        elif track.cluster == event.namespace:
            self._report(track, status, at)

    def _report(self, track: Track, status: bytes, at: Stamp) -> None:
        reported = track.reported
        if track.report(status, at):
            self._count(track.original, "reported", (track.reported is not None) - (reported is not None))
            self._settle(track.original)

    def _settle(self, original: Original) -> None:
        if not original.returns:
            return
        was = original.finalized
        original.settle_finalized()
        self._count(original, "finalized", (original.finalized is not None) - (was is not None))
