"""How long nothing happened, and what of a run still exists."""

from __future__ import annotations

import pytest

from fleet.model.run_names import RunNames
from fleet.observe.quiet import Quiet
from fleet.observe.tracker import Tracker
from fleet.results import events
from fleet.results.events import Manifest, ObjectRef

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


def work(uid: str, kind: str = "ADDED", namespace: str = NS) -> events.Line:
    return seen(
        events.ManifestWorkSeen,
        "its1",
        uid,
        kind,
        namespace="wec1",
        name=f"mw-{uid}",
        binding="p",
        wds="wds1",
        binding_generation=1,
        generation=1,
        manifests=[Manifest("apps", "Deployment", namespace, "d", "op")],
    )


@pytest.fixture
def tracker() -> Tracker:
    return Tracker(names=RunNames("r-x"), wdses=("wds1",))


def test_tracker_counts_every_place_and_lets_go(tracker: Tracker) -> None:
    ref = ObjectRef("apps", "deployments", NS, "d")

    def lines(kind: str) -> list[events.Line]:
        return [
            seen(events.WorkloadSeen, "wds1", "o1", kind, ref=ref, op="op"),
            seen(events.AppliedManifestWorkSeen, "wec1", "a1", kind, name="h", work="mw-m1"),  # before its ManifestWork
            work("m1", kind),
            seen(events.WorkloadSeen, "wec1", "o2", kind, ref=ref, op="op"),
            seen(events.WorkStatusSeen, "its1", "s1", kind, namespace="wec1", name="s", owner="m1", ref=ref),
        ]

    for line in lines("ADDED"):
        tracker.feed(line)
    left = tracker.left(["wec1"])
    assert (left.objects, left.works, left.applied, left.statuses) == (2, 1, 1, 1)
    assert str(left) == "2 objects, 1 ManifestWorks, 1 AppliedManifestWorks, 1 WorkStatuses"
    assert tracker.left([]).objects == 1  # the WDS always counts; a WEC that was not asked about does not
    for line in lines("DELETED"):
        tracker.feed(line)
    assert tracker.left(["wec1"]).nothing


def test_tracker_passes_over_what_is_not_of_the_run(tracker: Tracker) -> None:
    tracker.feed(work("m9", namespace="other"))
    tracker.feed(seen(events.AppliedManifestWorkSeen, "wec1", "a9", name="h", work="mw-m9"))
    assert tracker.left(["wec1"]).nothing


def test_tracker_keeps_destinations_over_lines_that_leave_them_out(tracker: Tracker) -> None:
    tracker.feed(seen(events.BindingSeen, "wds1", "b", name="p", generation=1, clauses=[], destinations=["wec1"]))
    tracker.feed(seen(events.BindingSeen, "wds1", "b", "MODIFIED", name="p", generation=1))
    assert tracker.destinations("p") == frozenset({"wec1"})
    tracker.feed(seen(events.BindingSeen, "wds1", "b", "DELETED", name="p", generation=1))
    assert tracker.destinations("p") is None
