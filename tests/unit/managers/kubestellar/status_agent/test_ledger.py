"""The bookkeeping of one WEC: which events request what."""

from fleet.managers.kubestellar.status_agent.ledger import Ledger, Removal
from fleet.managers.kubestellar.status_agent.names import Gvr
from fleet.managers.kubestellar.status_agent.plan import AppliedWork, ObjectKey, Plan, digest_of

PODS = Gvr("", "v1", "pods")
SERVICES = Gvr("", "v1", "services")
KEY = ObjectKey(PODS, "ns", "p")


def plan(rv: str = "1", phase: str = "Pending", owner: str = "amw-1", uid: str = "u1", key: ObjectKey = KEY) -> Plan:
    status = {"phase": phase}
    return Plan(key, "Pod", uid, rv, owner, f"{owner}-{key.name}", status, digest_of(status), None, 0)


def removal(key: ObjectKey = KEY) -> Removal:
    return Removal(key, "Pod", "u1", "9", 0)


def test_a_version_that_changes_nothing_asks_for_nothing() -> None:
    ledger = Ledger(parity=False)
    assert ledger.observe(plan(rv="1"))
    assert not ledger.observe(plan(rv="2"))
    assert ledger.observe(plan(rv="3", phase="Running"))
    wish = ledger.wishes[KEY]
    assert isinstance(wish, Plan)
    assert wish.rv == "3"


def test_what_belongs_to_another_hub_is_forgotten_and_a_newer_version_is_not() -> None:
    ledger = Ledger(parity=False)
    old, new = plan(owner="theirs"), plan(rv="2", owner="amw-1")
    ledger.observe(old)
    ledger.park(KEY, "theirs")
    assert ledger.unpark("theirs") == {KEY}
    assert ledger.unpark("theirs") == set()
    ledger.renounce(old)
    assert (ledger.objects, ledger.wishes) == (0, {})
    ledger.observe(old)
    ledger.observe(new)
    ledger.renounce(old)
    assert (ledger.objects, ledger.wishes) == (1, {KEY: new})


def test_with_parity_every_version_asks_for_a_write() -> None:
    ledger = Ledger(parity=True)
    assert ledger.observe(plan(rv="1"))
    assert ledger.observe(plan(rv="2"))


def test_a_status_that_returns_before_it_was_written_replaces_the_one_in_between() -> None:
    ledger = Ledger(parity=False)
    ledger.observe(plan(phase="Pending"))
    ledger.observe(plan(phase="Running"))
    assert ledger.observe(plan(rv="4", phase="Pending"))
    wish = ledger.wishes[KEY]
    assert isinstance(wish, Plan)
    assert wish.status == {"phase": "Pending"}


def test_a_new_uid_or_owner_asks_for_a_write_even_with_the_same_status() -> None:
    ledger = Ledger(parity=False)
    ledger.observe(plan())
    assert ledger.observe(plan(uid="u2"))
    assert ledger.observe(plan(uid="u2", owner="amw-2"))


def test_settle_keeps_a_newer_wish() -> None:
    ledger = Ledger(parity=False)
    old, new = plan(phase="Pending"), plan(phase="Running")
    ledger.observe(old)
    ledger.observe(new)
    ledger.settle(KEY, old)
    assert ledger.wishes[KEY] is new
    ledger.settle(KEY, new)
    assert not ledger.wishes


def test_removing_what_was_never_reported_asks_for_nothing() -> None:
    ledger = Ledger(parity=False)
    assert not ledger.remove(removal())
    ledger.observe(plan())
    assert ledger.remove(removal())
    assert isinstance(ledger.wishes[KEY], Removal)
    assert ledger.objects == 0


def test_kinds_are_counted_over_works() -> None:
    ledger = Ledger(parity=False)
    ledger.add_work(AppliedWork("a", "mw-a", frozenset({PODS, SERVICES})))
    ledger.add_work(AppliedWork("b", "mw-b", frozenset({PODS})))
    assert ledger.needed_kinds == {PODS, SERVICES}
    ledger.add_work(AppliedWork("a", "mw-a", frozenset({PODS})))
    assert ledger.needed_kinds == {PODS}
    ledger.drop_work("b")
    assert ledger.needed_kinds == {PODS}
    ledger.drop_work("a")
    assert ledger.needed_kinds == frozenset()


def test_objects_parked_for_a_work_come_back_with_it_once() -> None:
    ledger = Ledger(parity=False)
    ledger.park(KEY, "a")
    assert ledger.add_work(AppliedWork("b", "mw-b", frozenset())) == set()
    assert ledger.add_work(AppliedWork("a", "mw-a", frozenset())) == {KEY}
    assert ledger.add_work(AppliedWork("a", "mw-a", frozenset({PODS}))) == set()


def test_a_list_removes_what_it_does_not_hold_and_only_of_its_kind() -> None:
    ledger = Ledger(parity=False)
    gone, other = ObjectKey(PODS, "ns", "gone"), ObjectKey(SERVICES, "ns", "gone")
    for key in (KEY, gone, other):
        ledger.observe(plan(key=key))
    assert ledger.retain(PODS, {("ns", "p")}, 7) == [gone]
    wish = ledger.wishes[gone]
    assert isinstance(wish, Removal)
    assert (wish.uid, wish.received_ns) == ("u1", 7)
    assert isinstance(ledger.wishes[other], Plan)


def test_adopted_work_statuses_of_kinds_nobody_applies_are_removed() -> None:
    ledger = Ledger(parity=False)
    ledger.adopt(KEY, "ws-1")
    ledger.adopt(ObjectKey(SERVICES, "ns", "s"), "ws-2")
    ledger.add_work(AppliedWork("a", "mw-a", frozenset({PODS})))
    assert ledger.retain_needed(0) == [ObjectKey(SERVICES, "ns", "s")]


def test_an_adopted_object_is_written_when_it_is_first_seen() -> None:
    ledger = Ledger(parity=False)
    ledger.adopt(KEY, "ws-1")
    assert ledger.observe(plan())


def test_names_of_one_object_and_who_holds_them() -> None:
    ledger = Ledger(parity=False)
    other = ObjectKey(PODS, "ns", "q")
    ledger.adopt(KEY, "old")
    assert ledger.claim(KEY, "new") is None
    assert ledger.claim(KEY, "new") is None
    assert ledger.names_of(KEY) == ("old", "new")
    assert ledger.claim(other, "new") == KEY
    ledger.unclaim(KEY, "old")
    assert ledger.names_of(KEY) == ("new",)
    ledger.unclaim(KEY, "new")
    assert ledger.names_of(KEY) == ()
    assert ledger.claim(other, "new") is None
