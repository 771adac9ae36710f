"""Writes after the load has ended, and managers that write in turn: by hand."""

from __future__ import annotations

import pytest

from fleet.analysis.fights import activity, fights
from fleet.analysis.recorded import Recorded, record
from fleet.results.events import Line, ObjectRef, RunMark, WorkloadSeen
from fleet.results.format1_manager import MANAGER

SECOND = 1_000_000_000


def mark(at: float, edge: str) -> RunMark:
    return RunMark(ns=round(at * SECOND), wall=0, step="after", edge=edge, trial="t000")


def write(at: float, name: str, writer: str, *, kind: str = "MODIFIED", listed: bool = False) -> WorkloadSeen:
    ref = ObjectRef("apps", "deployments", "n", name)
    return WorkloadSeen(
        ns=round(at * SECOND), wall=0, cluster="wds1", type=kind, uid=name, rv="1", ref=ref, op="", writer=writer,
        listed=listed,
    )  # fmt: skip


def recorded(*lines: Line) -> Recorded:
    return record(lines, MANAGER, source="wds1", object_timeout=None)


def test_only_what_is_written_after_the_load_counts() -> None:
    found = recorded(
        write(1, "a", "driver"),
        mark(10, "begin"),
        write(11, "a", "one"),
        write(12, "a", "one"),
        write(13, "a", "one", listed=True),
        write(14, "a", "one", kind="DELETED"),
        write(15, "b", "two/status"),
        mark(40, "end"),
        write(41, "a", "clean-up"),
    )
    assert found.after_seconds == pytest.approx(30)
    (one,) = activity(found)
    assert (one.cluster, one.resource, one.objects, one.writes) == ("wds1", "deployments", 2, 3)
    # Three writes to two objects in half a minute.
    assert one.per_object_minute == pytest.approx(3.0)
    assert one.writers == {"one": 2, "two/status": 1}
    assert fights(found) == []


def test_two_managers_that_write_in_turn_fight_and_are_named() -> None:
    turns = [write(11 + n, "a", ("alpha", "beta")[n % 2]) for n in range(8)]
    (fight,) = fights(recorded(mark(10, "begin"), *turns, mark(70, "end")))
    assert fight.managers == ("alpha", "beta")
    assert (fight.objects, fight.turns, fight.example) == (1, 7, "n/a")
    assert fight.per_object_minute == pytest.approx(8.0)
    assert str(fight) == (
        "alpha and beta fight over deployments n/a of wds1: 7 turns after the load had ended, "
        "8.0 writes per object and minute"
    )


def test_a_short_wave_and_a_busy_manager_are_no_fight() -> None:
    wave = [write(11 + n / 10, "a", ("alpha", "beta")[n % 2]) for n in range(6)]  # five turns
    busy = [write(12 + n, "b", "alpha") for n in range(30)]
    assert fights(recorded(mark(10, "begin"), *wave, *busy, mark(70, "end"))) == []


def test_a_third_writer_does_not_hide_the_fight_and_turns_are_per_object() -> None:
    order = ["alpha", "beta", "alpha", "gamma", "alpha", "beta", "alpha", "beta", "alpha", "beta"]
    lines = [write(11 + n, "a", writer) for n, writer in enumerate(order)]
    apart = [write(11 + n, f"x{n}", ("alpha", "beta")[n % 2]) for n in range(20)]
    (fight,) = fights(recorded(mark(10, "begin"), *lines, *apart, mark(40, "end")))
    assert (fight.managers, fight.turns, fight.objects) == (("alpha", "beta"), 7, 1)


def test_who_writes_the_status_of_what_another_writes_does_not_fight_with_it() -> None:
    """The Deployment controller follows each change of two that fight: those two are named, it is not."""
    order = ["alpha", "dense/status", "beta", "dense/status"] * 4
    lines = [write(11 + n, "a", writer) for n, writer in enumerate(order)]
    (fight,) = fights(recorded(mark(10, "begin"), *lines, mark(40, "end")))
    assert (fight.managers, fight.turns) == (("alpha", "beta"), 7)
    over_status = [write(11 + n, "a", ("one/status", "two/status")[n % 2]) for n in range(8)]
    (fight,) = fights(recorded(mark(10, "begin"), *over_status, mark(40, "end")))
    assert fight.managers == ("one/status", "two/status")


def test_the_waves_of_several_trials_are_no_fight() -> None:
    lines: list[Line] = []
    for begin in (0, 100, 200):
        wave = [write(begin + 1 + n, "a", ("alpha", "beta")[n % 2]) for n in range(4)]  # three turns
        lines += [mark(begin, "begin"), *wave, mark(begin + 30, "end")]
    assert fights(recorded(*lines)) == []


def test_an_object_that_is_there_in_one_window_is_held_against_that_one() -> None:
    lines: list[Line] = []
    for begin, name in ((0, "a"), (100, "b")):
        lines += [mark(begin, "begin"), write(begin + 1, name, "one"), mark(begin + 30, "end")]
    assert activity(recorded(*lines))[0].per_object_minute == pytest.approx(2.0)


def test_several_windows_are_added_up() -> None:
    lines: list[Line] = []
    for begin in (0, 100):
        lines += [mark(begin, "begin"), write(begin + 1, "a", "one"), mark(begin + 30, "end")]
    found = recorded(*lines)
    assert found.after_seconds == pytest.approx(60)
    assert activity(found)[0].per_object_minute == pytest.approx(2.0)
