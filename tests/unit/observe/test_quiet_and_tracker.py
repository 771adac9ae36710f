"""How long nothing happened, and what of a run still exists."""

from __future__ import annotations

import pytest

from fleet.model.run_names import RunNames
from fleet.observe.quiet import Quiet
from fleet.observe.tracker import Tracker
from fleet.results import events
from fleet.results.events import Fact, ObjectRef

NS = "fleet-run-x"


def test_quiet_counts_from_the_last_thing() -> None:
    now = [0]
    quiet = Quiet(lambda: now[0])
    now[0] = 3_000_000_000
    assert quiet.seconds() == 3.0
    quiet.note("a", 2_500_000_000)
    assert (quiet.seconds(), quiet.last_what) == (0.5, "a")
    quiet.note("older", 1_000_000_000)
    assert (quiet.seconds(), quiet.last_what) == (0.5, "a")


async def test_quiet_waits_out_what_is_missing() -> None:
    quiet = Quiet()
    assert await quiet.wait(0.02, timeout=5)
    assert quiet.seconds() >= 0.02


async def test_quiet_gives_up() -> None:
    quiet = Quiet(lambda: 0)  # time stands still: it can never have been quiet
    ticks = iter([0, 0, 0, 10**9, 10**9, 10**9, 10**9])
    never = Quiet(lambda: next(ticks))
    assert quiet.seconds() == 0
    assert not await never.wait(5, timeout=0.5)


def seen(cls: type, cluster: str, uid: str, kind: str = "ADDED", **fields: object) -> events.Line:
    return cls(ns=1, wall=1, cluster=cluster, type=kind, uid=uid, rv="1", **fields)


def work(uid: str, kind: str = "ADDED", op: str = "op") -> events.Line:
    said = {} if kind == "DELETED" else {"facts": [Fact(("op", op), "wec1")], "gives": given(uid)}
    return hop("packaged", "manifestworks.x", "its1", uid, kind, namespace="wec1", name=f"mw-{uid}", policy="p", **said)


def given(uid: str) -> list[tuple[str, ...]]:
    return [("work", "wec1", f"mw-{uid}"), ("work-uid", uid)]


def hop(mark: str, resource: str, cluster: str, uid: str, kind: str = "ADDED", **fields: object) -> events.Line:
    return seen(events.HopSeen, cluster, uid, kind, hop=mark, resource=resource, **({"name": uid} | fields))


def applied(uid: str, name: str, kind: str = "ADDED") -> events.Line:
    said = {} if kind == "DELETED" else {"facts": [Fact(("work", "wec1", name), "wec1")]}
    return hop("delivered", "appliedmanifestworks.x", "wec1", uid, kind, **said)


def reported(uid: str, work_uid: str, kind: str = "ADDED") -> events.Line:
    about = ("work-uid", work_uid, "apps", "deployments", NS, "d")
    said = {} if kind == "DELETED" else {"facts": [Fact(about, "wec1")]}
    return hop("reported", "workstatuses.x", "its1", uid, kind, **said)


def plan(op: str = "op", *clusters: str) -> events.Line:
    return events.Planned(
        ns=0, wall=0, trial="t", op=op, policy="p", ref=ObjectRef("apps", "deployments", NS, "d"),
        clusters=list(clusters or ("wec1",)), status="copy",
    )  # fmt: skip


@pytest.fixture
def tracker() -> Tracker:
    made = Tracker(names=RunNames("r-x"), sources=("wds1",))
    made.feed(plan())
    return made


def test_tracker_counts_every_place_and_lets_go(tracker: Tracker) -> None:
    ref = ObjectRef("apps", "deployments", NS, "d")

    def lines(kind: str) -> list[events.Line]:
        return [
            seen(events.WorkloadSeen, "wds1", "o1", kind, ref=ref, op="op"),
            applied("a1", "mw-m1", kind),  # before its ManifestWork
            work("m1", kind),
            seen(events.WorkloadSeen, "wec1", "o2", kind, ref=ref, op="op"),
            reported("s1", "m1", kind),
        ]

    for line in lines("ADDED"):
        tracker.feed(line)
    left = tracker.left(["wec1"])
    assert (left.objects, left.things) == (
        2, {"manifestworks": 1, "appliedmanifestworks": 1, "workstatuses": 1}
    )  # fmt: skip
    assert str(left) == "2 objects, 1 appliedmanifestworks, 1 manifestworks, 1 workstatuses"
    assert tracker.left([]).objects == 1  # the source always counts; a WEC that was not asked about does not
    assert not any(tracker.left([]).things.values())
    for line in lines("DELETED"):
        tracker.feed(line)
    assert tracker.left(["wec1"]).nothing


def test_tracker_passes_over_what_is_not_of_the_run(tracker: Tracker) -> None:
    tracker.feed(work("m9", op="other"))
    tracker.feed(applied("a9", "mw-m9"))
    assert tracker.left(["wec1"]).nothing


def test_tracker_keeps_an_object_that_says_the_same_again(tracker: Tracker) -> None:
    tracker.feed(work("m1"))
    tracker.feed(hop("packaged", "manifestworks.x", "its1", "m1", "MODIFIED", again=True))
    assert tracker.left(["wec1"]).things["manifestworks"] == 1


def test_tracker_keeps_targets_over_lines_that_leave_them_out(tracker: Tracker) -> None:
    tracker.feed(hop("bound", "bindings.x", "wds1", "b", policy="p", targets=["wec1"]))
    tracker.feed(hop("bound", "bindings.x", "wds1", "b", "MODIFIED", again=True))
    assert tracker.targets("p") == frozenset({"wec1"})
    assert tracker.policies() == {"p"}
    tracker.feed(hop("bound", "bindings.x", "wds1", "b", "DELETED"))
    assert tracker.targets("p") is None
    assert tracker.policies() == frozenset()


def test_a_policy_may_resolve_in_several_objects(tracker: Tracker) -> None:
    tracker.feed(hop("", "placementdecisions.x", "hub1", "d1", policy="p", targets=["wec1"]))
    tracker.feed(hop("", "placementdecisions.x", "hub1", "d2", policy="p", targets=["wec2"]))
    assert tracker.targets("p") == frozenset({"wec1", "wec2"})
    tracker.feed(hop("", "placementdecisions.x", "hub1", "d1", "DELETED"))
    assert tracker.targets("p") == frozenset({"wec2"})


def done(cluster: str, op: str) -> events.Line:
    ref = ObjectRef("", "pods", NS, "p")
    return seen(events.WorkloadSeen, cluster, f"{cluster}-{op}", ref=ref, op=op, status={"phase": "Succeeded"})


def test_an_object_has_completed_when_its_source_says_so_or_all_wecs_where_no_source_shows_it(tracker: Tracker) -> None:
    ref = ObjectRef("", "pods", NS, "p")
    tracker.feed(seen(events.WorkloadSeen, "wds1", "o", ref=ref, op="op"))
    tracker.feed(done("wec1", "op"))
    assert tracker.completed == set()
    tracker.feed(done("wds1", "op"))
    assert tracker.completed == {"op"}
    tracker.feed(plan("wrapped", "wec1", "wec2"))
    tracker.feed(done("wec1", "wrapped"))
    assert "wrapped" not in tracker.completed
    tracker.feed(done("wec2", "wrapped"))
    assert "wrapped" in tracker.completed


def test_keys_of_what_was_deleted_are_forgotten_when_a_whole_trial_has_come_since(tracker: Tracker) -> None:
    def begin(trial: str) -> None:
        tracker.feed(
            events.TrialPlan(
                ns=1, wall=1, trial=trial, layout="one-to-one", wecs=1, repeat=0, clusters=["wec1"], kind="pod"
            )
        )

    def there() -> int:
        return tracker.left(["wec1"]).things["appliedmanifestworks"]

    begin("t001")
    tracker.feed(work("one"))
    tracker.feed(work("two", op="op"))
    tracker.feed(work("one", "DELETED"))
    begin("t002")
    tracker.feed(applied("late", "mw-one"))  # its work is gone, and was the run's
    assert there() == 1
    begin("t003")
    assert there() == 1  # known by then
    tracker.feed(applied("stranger", "mw-one"))
    tracker.feed(applied("second", "mw-two"))
    assert there() == 2
    assert len(tracker._given) == 2


def test_a_key_that_another_object_gives_too_stays(tracker: Tracker) -> None:
    again = hop(
        "packaged", "manifestworks.x", "its1", "new", namespace="wec1", name="mw-one", policy="p",
        facts=[Fact(("op", "op"), "wec1")], gives=[("work", "wec1", "mw-one"), ("work-uid", "new")],
    )  # fmt: skip
    for line in (work("one"), work("one", "DELETED"), again):
        tracker.feed(line)
    for number in range(3):
        tracker.feed(
            events.TrialPlan(
                ns=1, wall=1, trial=f"t{number}", layout="", wecs=1, repeat=0, clusters=["wec1"], kind="pod"
            )
        )
    tracker.feed(applied("its-own", "mw-one"))
    assert tracker.left(["wec1"]).things["appliedmanifestworks"] == 1
