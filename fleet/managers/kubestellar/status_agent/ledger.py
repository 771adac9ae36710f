"""What one WEC's agent remembers: pure bookkeeping, no I/O. Events go in, keys to be handled come out.

Per object it keeps uid, owner, digest and label only; the status itself lives here just until it was written.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass

from fleet.managers.kubestellar.status_agent.names import Gvr
from fleet.managers.kubestellar.status_agent.plan import AppliedWork, ObjectKey, Plan


@dataclass(frozen=True, slots=True)
class Removal:
    """An object that is no longer to be reported: deleted, disowned, or its kind is no longer applied."""

    key: ObjectKey
    kind: str
    uid: str
    rv: str
    received_ns: int


Wish = Plan | Removal


@dataclass(frozen=True, slots=True)
class _Seen:
    """The latest version of one object that requested something."""

    uid: str
    owner_uid: str
    digest: bytes
    singleton: str | None

    @classmethod
    def of(cls, plan: Plan) -> _Seen:
        return cls(plan.uid, plan.owner_uid, plan.digest, plan.singleton)


_ADOPTED = _Seen("", "", b"", None)


class Ledger:
    """State of one WEC. `parity` turns off the folding of events that change nothing."""

    def __init__(self, *, parity: bool) -> None:
        self._parity = parity
        self.wishes: dict[ObjectKey, Wish] = {}
        """What is still to be written, newest version only."""
        self._seen: dict[ObjectKey, _Seen] = {}
        self._works: dict[str, AppliedWork] = {}
        self._users: dict[Gvr, set[str]] = {}
        """uids of the AppliedManifestWorks that applied each kind."""
        self._kinds: dict[Gvr, Gvr] = {}
        self._names: dict[ObjectKey, tuple[str, ...]] = {}
        """The WorkStatuses that stand, or may stand, on the hub for each object."""
        self._claims: dict[str, ObjectKey] = {}
        self._parked: dict[str, set[ObjectKey]] = {}
        """Objects whose AppliedManifestWork has not been seen yet, by its uid."""

    @property
    def objects(self) -> int:
        """Objects that are reported."""
        return len(self._seen)

    @property
    def needed_kinds(self) -> frozenset[Gvr]:
        """Kinds that at least one AppliedManifestWork applied."""
        return frozenset(self._users)

    @property
    def interned(self) -> dict[Gvr, Gvr]:
        """The pool that equal Gvrs are taken from."""
        return self._kinds

    # AppliedManifestWorks

    def works(self) -> list[str]:
        """uids of those that have been seen."""
        return list(self._works)

    def work(self, uid: str) -> AppliedWork | None:
        """The AppliedManifestWork of that uid, if it has been seen."""
        return self._works.get(uid)

    def add_work(self, work: AppliedWork) -> set[ObjectKey]:
        """Remember one as it is now; returns the objects that waited for it."""
        before = self._works.get(work.uid)
        self._works[work.uid] = work
        self._release(work.uid, () if before is None else before.kinds - work.kinds)
        for gvr in work.kinds:
            self._users.setdefault(gvr, set()).add(work.uid)
        return self._parked.pop(work.uid, set())

    def drop_work(self, uid: str) -> None:
        """Forget one that is gone."""
        work = self._works.pop(uid, None)
        if work is not None:
            self._release(uid, work.kinds)

    def _release(self, uid: str, kinds: Iterable[Gvr]) -> None:
        for gvr in kinds:
            users = self._users.get(gvr)
            if users is not None:
                users.discard(uid)
                if not users:
                    del self._users[gvr]

    # Objects

    def observe(self, plan: Plan) -> bool:
        """Take in one version of an owned object. True when there is something to write."""
        seen = _Seen.of(plan)
        if not self._parity and self._seen.get(plan.key) == seen:
            return False
        self._seen[plan.key] = seen
        self.wishes[plan.key] = plan
        return True

    def remove(self, removal: Removal) -> bool:
        """Take in that an object is gone. True when it had been reported, or was about to be."""
        if self._seen.pop(removal.key, None) is None:
            return False
        self.wishes[removal.key] = removal
        return True

    def retain(self, gvr: Gvr, alive: Container[tuple[str, str]], now_ns: int) -> list[ObjectKey]:
        """Remove every object of that kind whose (namespace, name) is not `alive`; returns their keys."""
        gone = [key for key in self._seen if key.gvr == gvr and (key.namespace, key.name) not in alive]
        return self._remove_all(gone, now_ns)

    def retain_needed(self, now_ns: int) -> list[ObjectKey]:
        """Remove every object whose kind no AppliedManifestWork applied; returns their keys."""
        return self._remove_all([key for key in self._seen if key.gvr not in self._users], now_ns)

    def _remove_all(self, keys: list[ObjectKey], now_ns: int) -> list[ObjectKey]:
        for key in keys:
            self.remove(Removal(key, "", self._seen[key].uid, "", now_ns))
        return keys

    def park(self, key: ObjectKey, owner_uid: str) -> None:
        """This object cannot be written before the AppliedManifestWork of that uid is known."""
        self._parked.setdefault(owner_uid, set()).add(key)

    def unpark(self, owner_uid: str) -> set[ObjectKey]:
        """The objects that waited for that AppliedManifestWork, which is not one of this hub."""
        return self._parked.pop(owner_uid, set())

    def renounce(self, plan: Plan) -> None:
        """That version of an object is not to be reported here; a newer one stays."""
        if self._seen.get(plan.key) == _Seen.of(plan):
            del self._seen[plan.key]
        self.settle(plan.key, plan)

    def settle(self, key: ObjectKey, wish: Wish) -> None:
        """That wish is fulfilled; a newer one stays."""
        if self.wishes.get(key) is wish:
            del self.wishes[key]

    # Names on the hub

    def adopt(self, key: ObjectKey, name: str) -> None:
        """A WorkStatus that stood on the hub at the start; whether its object still lives, the first list will show."""
        self._claims[name] = key
        self._names[key] = (*self._names.get(key, ()), name)
        self._seen.setdefault(key, _ADOPTED)

    def names_of(self, key: ObjectKey) -> tuple[str, ...]:
        """The WorkStatuses that may stand on the hub for this object: one, or more after its owner changed."""
        return self._names.get(key, ())

    def claim(self, key: ObjectKey, name: str) -> ObjectKey | None:
        """Take that WorkStatus name for this object; returns the other object that holds it, else None."""
        holder = self._claims.setdefault(name, key)
        if holder != key:
            return holder
        names = self._names.get(key, ())
        if name not in names:
            self._names[key] = (*names, name)
        return None

    def unclaim(self, key: ObjectKey, name: str) -> None:
        """That WorkStatus of this object is gone from the hub."""
        left = tuple(other for other in self._names.get(key, ()) if other != name)
        if left:
            self._names[key] = left
        else:
            self._names.pop(key, None)
        if self._claims.get(name) == key:
            del self._claims[name]
