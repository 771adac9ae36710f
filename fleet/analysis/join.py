"""The join: from watch lines to the marks of every object in every WEC, by a manager's hop table and nothing else.

Links are exact keys; resourceVersions are compared for equality only, API timestamps are never ordered by:

    created    the object with the planned op-id at its source (or, where a manager wraps it, what holds the op-id)
    its own    a line of that row's resource whose fact is about the op-id, or about a key that another line gave which
               itself was about the op-id; policy and source, where they are known, are the planned ones; not of an
               older version than `not_before` says
    activated  in that WEC the object with the op-id, owned by the object of the mark that `owned_by` names
    ready      its status is final (`fleet.analysis.final`)
    reported   a fact of that row whose status equals a final status of the WEC's object, whole or in its fields
    finalized  the source shows that status (one WEC), the aggregate of all of them (`fleet.analysis.aggregate`) or the
               manager's own count, the latter two at or after the last report

Watches race: a line may come before the one that explains it. It is then kept under its key until that one comes.

Samples of a trial that is past (`fleet.analysis.past_trials`) are made once, and what they were made of is dropped:
later lines about its objects change nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, NamedTuple

from fleet.analysis.aggregate import normal_digest, part
from fleet.analysis.final import digest, is_final
from fleet.analysis.hop_table import ACTIVATED, CREATED, FINALIZED, READY, REPORTED, HopTable
from fleet.analysis.past_trials import PastTrials
from fleet.analysis.sample_columns import Samples, Table, table
from fleet.analysis.samples import Downs, Sample, TrialRows
from fleet.analysis.tracks import INCOMPLETE, Original, Stamp, Track, counted, stamp
from fleet.model.manager_record import HopRow, ManagerRecord
from fleet.results.events import (
    ClusterState,
    Fact,
    HopSeen,
    Key,
    Line,
    ObjectRef,
    Planned,
    Sent,
    TrialPlan,
    WorkloadSeen,
)

__all__ = ["Join", "Progress", "Sample"]

OP, REVISION, UID = "op", "rv", "uid"
"""First words of the keys that the join itself gives: the op-id, and of the object at its source a resourceVersion and
the uid."""


@dataclass(frozen=True)
class Progress:
    """How far a trial is: per mark (`created`, ... `finalized`) how many of how many were seen."""

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
    samples: Table | None = None
    """Once it is past."""


class _Said(NamedTuple):
    """One fact of one line, small enough to be kept until the line comes that explains it."""

    row: HopRow
    uid: str
    wec: str
    seen: bool
    policy: str
    source: str
    version: int
    at: Stamp
    digest: bytes
    status: Any
    gives: Sequence[Key]


class Join:
    """Feed it every line in the order of arrival; ask it at any time what is known.

    `source` is the cluster whose workload lines are the originals of objects that are not planned for another one;
    every other cluster's are WECs. `object_timeout` (seconds from a trial's first send) is what makes a sample `late`.
    `versions`: samples have those of their ends, to be looked up in an audit log; 16 bytes each.
    """

    def __init__(
        self, manager: ManagerRecord, *, source: str, object_timeout: float | None = None, versions: bool = True
    ) -> None:
        self.table = HopTable(manager)
        self.versions = versions
        self.source = source
        self.object_timeout = object_timeout
        self.strays: dict[tuple[str, str], int] = {}
        """(op-id, cluster) of each object that came to a WEC it was not planned for, and when."""
        self._rows = self.table.rows
        self._transports: dict[str, str] = {}
        """By source: where its objects travelled through; under the empty name where the last of all did."""
        self._downs = Downs()
        self._past = PastTrials()
        self._trials: dict[str, _Trial] = {}
        self._ops: dict[str, Original] = {}
        self._given: dict[Key, list[Original | Track]] = {}
        """By key: what a fact with that key is about."""
        self._waiting: dict[Key, list[_Said]] = {}
        """Facts of keys that nothing gave yet."""
        self._newest: dict[Key, _Said] = {}
        """By key, for rows of which only the newest object counts."""
        self._names: dict[str, Key] = {}
        """By uid of those objects: their key."""
        self._takers: dict[type[Line], Callable[[Any], None]] = {
            TrialPlan: self._trial,
            Planned: self._plan,
            Sent: self._sent,
            WorkloadSeen: self._workload,
            HopSeen: self._hop,
            ClusterState: self._cluster,
        }

    def feed(self, event: Line) -> None:
        """Take one line. Amortised constant time; lines of other people's objects are passed over."""
        take = self._takers.get(type(event))
        if take is not None:
            take(event)
        for trial in self._past.feed(event):
            self._put_away(self._trials[trial])

    def progress(self, trial: str) -> Progress:
        """Counts per mark; empty for an unknown trial."""
        found = self._trials.get(trial)
        return Progress({}, {}) if found is None else Progress(found.done, found.total)

    def whole(self, op: str) -> bool:
        """Every mark of that object was seen; its status is back, or was reported by every WEC where it cannot be.
        False for one of a trial that is past."""
        original = self._ops.get(op)
        if original is None or original.created is None:
            return False
        if any(mark not in original.marks for mark in self.table.of_object):
            return False
        if any(track.activated is None for track in original.tracks.values()):
            return False
        if original.mode == "none":
            return True
        if not original.returns and not self.table.reports:
            return all(track.ready is not None for track in original.tracks.values())
        return original.finalized is not None if original.returns else not original.unreported

    def samples(self) -> Samples:
        """Every sample of every trial so far, missing ones included, in the order of planning."""
        plans = [trial.plan for trial in self._trials.values()]
        made = (
            trial.samples or self._made(trial, after.ns if after else None)
            for trial, after in zip_longest(self._trials.values(), plans[1:])
        )
        return Samples([(columns, None) for columns in made if len(columns)])

    def _made(self, trial: _Trial, after_ns: int | None) -> Table:
        """`after_ns`: when the next trial began."""
        timeout = None if self.object_timeout is None else round(self.object_timeout * 1e9)
        maker = TrialRows(self.table, trial.plan, self._downs, self._transports, after_ns, timeout, trial.first_sent_ns)
        rows = (row for original in trial.originals for row in maker.rows(original))
        return table(rows, versions=self.versions)

    def _put_away(self, trial: _Trial) -> None:
        """Its samples are made, and what they were made of is dropped."""
        trials = list(self._trials.values())
        trial.samples = self._made(trial, trials[trials.index(trial) + 1].plan.ns)
        for original in trial.originals:
            self._ops.pop(original.planned.op, None)
            for key in original.keys.union(*(track.keys for track in original.tracks.values())):
                self._let_go(key, trial.plan.trial)
        trial.originals.clear()

    def _let_go(self, key: Key, trial: str) -> None:
        """Nothing of that trial is known by the key any more; objects of others may be. `_newest` stays: it has what
        exists now, and that may carry objects of later trials too."""
        left = [subject for subject in self._given.pop(key, ()) if _original(subject).planned.trial != trial]
        if left:
            self._given[key] = left
        else:
            self._waiting.pop(key, None)

    # --- what the driver did --------------------------------------------------------------------------------------
    def _trial(self, event: TrialPlan) -> None:
        self._trials[event.trial] = _Trial(event)

    def _cluster(self, event: ClusterState) -> None:
        self._downs.mark(event.cluster, event.state, event.ns)

    def _plan(self, event: Planned) -> None:
        trial = self._trials.get(event.trial)
        if trial is None:
            return
        original = Original(event, event.source or self.source, self.table)
        self._ops[event.op] = original
        trial.originals.append(original)
        trial.total.update((CREATED, *self.table.of_object))
        status = () if original.mode == "none" else (READY, REPORTED) if self.table.reports else (READY,)
        for mark in (*self.table.of_wec, *status):
            trial.total[mark] += len(original.tracks)
        if original.returns:
            trial.total[FINALIZED] += 1

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

    # --- objects of the workload ----------------------------------------------------------------------------------
    def _workload(self, event: WorkloadSeen) -> None:
        original = self._ops.get(event.op)
        if original is None or event.type == "DELETED":
            return
        if event.cluster == original.source:
            if not self._rows[CREATED].resource:
                self._at_source(original, event)
            if event.cluster not in original.tracks:
                return
        self._copy(original, event)

    def _at_source(self, original: Original, event: WorkloadSeen) -> None:
        at = stamp(event, event.server)
        if not self._created(original, event.uid, at):
            return
        self._revise(original, event.rv)
        shows = original.mode in ("copy", "aggregate") and event.status is not None
        if shows and original.show(self._shown(original, event.status), at):
            self._settle(original)

    def _shown(self, original: Original, status: Any) -> bytes:
        """The digest of a status at the source, to be compared with what is expected of it."""
        if original.mode == "copy":
            return digest(status)
        ref = original.planned.ref
        return normal_digest(status, self.table.aggregations[ref.group, ref.resource].own)

    def _created(self, original: Original, uid: str, at: Stamp) -> bool:
        """The object was seen at its source; False for another one of its name."""
        if original.created is None:
            original.created, original.uid = at, uid
            self._count(original, CREATED)
            self._give(original, (UID, uid), alone=True)
        return uid == original.uid

    def _revise(self, original: Original, rv: str) -> None:
        """The object at its source had that resourceVersion."""
        self._give(original, _of((REVISION, rv), original.planned.ref), alone=True)

    def _copy(self, original: Original, event: WorkloadSeen) -> None:
        """The object in a WEC."""
        track = original.tracks.get(event.cluster)
        if track is None:
            self.strays.setdefault((event.op, event.cluster), event.ns)
            return
        at = stamp(event, event.server)
        activated, ready = track.activated, track.ready
        track.appear(event.uid, event.owners, at)
        self._count(original, ACTIVATED, (track.activated is not None) - (activated is not None))
        if original.mode == "none":
            return
        if is_final(event):
            rule = self.table.aggregations.get((event.ref.group, event.ref.resource))
            adds = part(rule, event.status) if rule is not None else None
            reported = track.reported
            if track.final(digest(event.status), at, adds, event.status):
                self._count(original, REPORTED, (track.reported is not None) - (reported is not None))
                self._settle(original)
        self._count(original, READY, (track.ready is not None) - (ready is not None))

    # --- objects of the manager -----------------------------------------------------------------------------------
    def _hop(self, event: HopSeen) -> None:
        row = self._rows.get(event.hop)
        if row is None:
            return
        if row.space == "transport":
            self._transports[event.source] = self._transports[""] = event.cluster
        if event.type == "DELETED":
            if row.newest:
                self._forget(event.uid)
            return
        at = stamp(event, event.server if row.mark == CREATED or (row.per == "wec" and not row.compares) else "")
        for fact in event.facts:
            original = self._ops.get(fact.about[1]) if fact.about[0] == OP else None
            if original is not None:
                self._take(original, _said(row, event, fact, at))
            elif fact.about[0] != OP:
                self._linked(row, event, fact, at)

    def _linked(self, row: HopRow, event: HopSeen, fact: Fact, at: Stamp) -> None:
        """A fact with a key that some other hop gives, or will give."""
        subjects = self._given.get(fact.about)
        if subjects and row.per == "object" and not event.gives and _old_news(subjects[0], row.mark, at):
            return  # a policy may name thousands of objects again and again
        said = _said(row, event, fact, at)
        if row.newest:
            if not self._first_of(fact.about, said):
                return
        elif subjects is None:
            self._keep(fact.about, said)
        for subject in subjects or ():
            self._take(subject, said)

    def _first_of(self, about: Key, said: _Said) -> bool:
        """Of a row of which only the newest object counts: whether this one was not known as that."""
        known = self._newest.get(about)
        if known is not None and known.uid == said.uid:
            return False
        self._newest[about], self._names[said.uid] = said, about
        return True

    def _forget(self, uid: str) -> None:
        """An object is gone whose name may be used again."""
        about = self._names.pop(uid, None)
        if about is not None and self._newest[about].uid == uid:
            del self._newest[about]

    def _keep(self, about: Key, said: _Said) -> None:
        """Until the line comes that gives the key."""
        waiting = self._waiting.setdefault(about, [])
        # A policy is seen again with each of its objects: of one object, its first line is the one that counts.
        if said.row.per == "wec" or all(one.row is not said.row or one.policy != said.policy for one in waiting):
            waiting.append(said)

    def _give(self, subject: Original | Track, key: Key, *, alone: bool = False) -> None:
        """From now on facts with that key are about it; so are those that came before. Unless the key is its `alone`,
        the same key with its identity behind it is."""
        if key in subject.keys:
            return
        subject.keys.add(key)
        self._given.setdefault(key, []).append(subject)
        newest = self._newest.get(key)
        if newest is not None:
            self._take(subject, newest)
        if alone:
            for said in self._waiting.pop(key, ()):
                self._take(subject, said)
            return
        for said in self._waiting.get(key, ()):  # stays: another object may be in the same one
            self._take(subject, said)
        self._give(subject, _of(key, _original(subject).planned.ref), alone=True)

    def _take(self, subject: Original | Track, said: _Said) -> None:
        """A fact is about it: set the mark, if it is the planned one's, and give its keys."""
        original = _original(subject)
        if not _planned(original, said.policy, said.source):
            return
        about: Original | Track | None = original
        if said.row.per == "object":
            self._of_object(original, said)
        else:
            about = track = _track(subject, said.wec)
            if track is None:
                if subject is original:
                    self.strays.setdefault((original.planned.op, said.wec), said.at.ns)
            elif said.row.mark == REPORTED:
                self._report(track, said)
            elif said.seen:
                self._of_wec(track, said)
        if about is not None:
            for key in said.gives:
                self._give(about, key)

    def _of_object(self, original: Original, said: _Said) -> None:
        mark = said.row.mark
        if mark == CREATED:
            self._created(original, said.uid, said.at)
        elif mark == FINALIZED:
            shown = counted(said.status, len(original.tracks)) if said.seen else INCOMPLETE
            if original.returns and original.show(shown, said.at):
                self._settle(original)
        elif said.seen:
            first = mark not in original.marks
            if not original.reach(mark, said.version, said.at):
                return
            self._count(original, mark, int(first))
            for later in self.table.waiting_for.get(mark, ()):
                for track in original.tracks.values():
                    was = later in track.marks
                    track.settle(later)
                    self._count(original, later, (later in track.marks) - was)

    def _of_wec(self, track: Track, said: _Said) -> None:
        mark, original = said.row.mark, track.original
        was = mark in track.marks
        if said.row.not_before:
            track.offer(mark, said.version, said.at)
        else:
            track.reach(mark, said.at)
        self._count(original, mark, (mark in track.marks) - was)
        if mark == self.table.owner:
            activated, ready = track.activated, track.ready
            track.hold(said.uid)
            self._count(original, ACTIVATED, (track.activated is not None) - (activated is not None))
            if original.mode != "none":
                self._count(original, READY, (track.ready is not None) - (ready is not None))

    def _report(self, track: Track, said: _Said) -> None:
        if said.status is None or track.original.mode == "none":
            return
        reported = track.reported
        if track.report(said.digest, said.at, said.status):
            self._count(track.original, REPORTED, (track.reported is not None) - (reported is not None))
            self._settle(track.original)

    def _settle(self, original: Original) -> None:
        if not original.returns:
            return
        was = original.finalized
        original.settle_finalized()
        self._count(original, FINALIZED, (original.finalized is not None) - (was is not None))


def _said(row: HopRow, event: HopSeen, fact: Fact, at: Stamp) -> _Said:
    """Without the status where its digest says enough."""
    status, told = fact.status, b""
    if status is not None and row.compares in ("status", "fields"):
        told = digest(status)
        status = True if row.compares == "status" else status
    return _Said(
        row, event.uid, fact.wec, fact.seen, event.policy, event.source, event.version, at, told, status, event.gives
    )


def _planned(original: Original, policy: str, source: str) -> bool:
    """The policy and the source are those that the object was planned for, as far as they are known."""
    return (not policy or policy == original.planned.policy) and (not source or source == original.source)


def _original(subject: Original | Track) -> Original:
    return subject if isinstance(subject, Original) else subject.original


def _track(subject: Original | Track, wec: str) -> Track | None:
    """The one in that WEC."""
    if isinstance(subject, Track) and subject.cluster == wec:
        return subject
    return _original(subject).tracks.get(wec)


def _of(key: Key, ref: ObjectRef) -> Key:
    """A key of several objects, for one of them."""
    return (*key, ref.group, ref.resource, ref.namespace, ref.name)


def _old_news(subject: Original | Track, mark: str, at: Stamp) -> bool:
    known = subject.marks.get(mark)
    return known is not None and known.order <= at.order
