"""What of a run exists right now, by cluster: read from the same lines as the samples, so nobody lists in loops."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from fleet.analysis.past_trials import Deleted
from fleet.model.run_names import RunNames
from fleet.results.events import HopSeen, Key, Line, Planned, TrialPlan, WorkloadSeen

_IDENTITY = 4
"""Parts of an object's identity behind a key that is given for several objects."""


@dataclass(frozen=True)
class Left:
    """How much of the run is still there, in the clusters that were asked about."""

    objects: int
    """Of the workload."""
    things: Mapping[str, int] = field(default_factory=dict)
    """Of the manager, by plural."""

    @property
    def nothing(self) -> bool:
        """All gone."""
        return not (self.objects or any(self.things.values()))

    def __str__(self) -> str:
        """For a message: the counts that are not 0."""
        names = (("objects", self.objects), *sorted(self.things.items()))
        return ", ".join(f"{count} {name}" for name, count in names if count) or "nothing"


@dataclass(slots=True)
class _Thing:
    """An object of the manager that is about objects of some workload."""

    wecs: frozenset[str]
    """Where it is about them; empty for all."""
    keys: tuple[Key, ...]
    """By which it is known to be the run's once another object gave one of them."""
    gives: tuple[Key, ...]
    ours: bool


class Tracker:
    """Feed it every line in the order of arrival. `names` are the run's namespaces, `sources` where originals are."""

    def __init__(self, *, names: RunNames, sources: Collection[str]) -> None:
        self.names = names
        self.sources = frozenset(sources)
        self.completed: set[str] = set()
        """Op-ids of objects that are shown as completed by their source, or by all their WECs where no source shows
        them; whoever deletes one takes it out."""
        self._planned: dict[str, tuple[str, ...]] = {}
        """By op-id the WECs that must get it."""
        self._shown: set[str] = set()
        """Op-ids that a source shows by themselves."""
        self._ended: defaultdict[str, set[str]] = defaultdict(set)
        """WECs that show an object as completed, by op-id."""
        self._targets: defaultdict[str, dict[str, frozenset[str]]] = defaultdict(dict)
        """By policy and uid: the WECs that this object says it resolves to."""
        self._policy: dict[str, str] = {}
        """By uid of such an object."""
        self._objects: defaultdict[str, set[str]] = defaultdict(set)
        self._things: defaultdict[str, dict[str, _Thing]] = defaultdict(dict)
        self._given: Counter[Key] = Counter()
        """By how many of the run's objects each key is given."""
        self._deleted = Deleted[_Thing]()

    def feed(self, line: Line) -> None:
        """Take one line."""
        match line:
            case WorkloadSeen():
                self._object(line)
            case HopSeen():
                self._hop(line)
            case Planned():
                self._planned[line.op] = tuple(map(sys.intern, line.clusters))
            case TrialPlan():
                self._given -= Counter(key for thing in self._deleted.old(line) for key in thing.gives)
            case _:
                pass

    def targets(self, policy: str) -> frozenset[str] | None:
        """WECs that the policy resolves to; None when nothing says so."""
        found = self._targets.get(policy)
        return frozenset().union(*found.values()) if found else None

    def policies(self) -> frozenset[str]:
        """Names of all policies that resolve to something; a run has no name twice."""
        return frozenset(name for name, found in self._targets.items() if found)

    def left(self, wecs: Collection[str]) -> Left:
        """What exists at the sources, on the way, and in those WECs."""
        chosen = frozenset(wecs)
        places = self.sources | chosen
        things = {
            resource.partition(".")[0]: sum(
                1 for one in found.values() if self._ours(one) and (not one.wecs or not one.wecs.isdisjoint(chosen))
            )
            for resource, found in self._things.items()
        }
        return Left(sum(len(self._objects[name]) for name in places if name in self._objects), things)

    def _object(self, line: WorkloadSeen) -> None:
        if not self.names.holds(line.ref.namespace):
            return
        uids = self._objects[line.cluster]
        if line.type == "DELETED":
            uids.discard(line.uid)
            return
        uids.add(line.uid)
        at_source = line.cluster in self.sources
        if at_source:
            self._shown.add(line.op)
        if _completed(line):
            self._ended[line.op].add(line.cluster)
            wanted = self._planned.get(line.op)
            everywhere = wanted is not None and self._ended[line.op].issuperset(wanted)
            if at_source or (everywhere and line.op not in self._shown):
                self.completed.add(line.op)

    def _hop(self, line: HopSeen) -> None:
        if line.type == "DELETED":
            thing = self._things[line.resource].pop(line.uid, None)
            if thing is not None:
                self._deleted.add(thing)
            policy = self._policy.pop(line.uid, None)
            if policy is not None:
                self._targets[policy].pop(line.uid, None)
        elif line.targets is not None:
            self._policy[line.uid] = line.policy
            self._targets[line.policy][line.uid] = frozenset(line.targets)
        elif not line.again:
            self._thing(line)

    def _thing(self, line: HopSeen) -> None:
        known = self._things[line.resource].get(line.uid)
        ours = (known is not None and known.ours) or any(
            fact.about[0] == "op" and fact.about[1] in self._planned for fact in line.facts
        )
        keys = tuple(
            key for fact in line.facts if fact.about[0] != "op" for key in (fact.about, fact.about[:-_IDENTITY])
        )
        wecs = frozenset(fact.wec for fact in line.facts if fact.wec)
        given = known.gives if known is not None else ()
        gives = (*given, *(key for key in line.gives if ours and key not in given))
        self._given.update(gives[len(given) :])
        self._things[line.resource][line.uid] = _Thing(wecs, keys, gives, ours)

    def _ours(self, thing: _Thing) -> bool:
        if not thing.ours and any(key in self._given for key in thing.keys):
            thing.ours = True
        return thing.ours


def _completed(line: WorkloadSeen) -> bool:
    return isinstance(line.status, Mapping) and line.status.get("phase") in ("Succeeded", "Failed")
