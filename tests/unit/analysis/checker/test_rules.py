"""Every rule of the checker has a hand-made history that breaks it, and one alongside it that does not."""

from __future__ import annotations

import pytest

from fleet.analysis.checker.check import Checked
from fleet.results.events import Anomaly, ClusterState, Line, Sent
from tests.unit.analysis.checker.histories import (
    FINAL,
    OP,
    OTHER,
    WDS,
    WECS,
    at,
    begin,
    checked,
    deleted,
    delivered,
    drained,
    fault,
    gap,
    planned,
    reported,
    seen,
    whole,
    work,
)

ONE, TWO = WECS
WRONG = {**FINAL, "readyReplicas": 7}


def broken(found: Checked) -> dict[str, int]:
    """Rules with findings."""
    return {rule: count for rule, count in found.counts.items() if count}


def without(lines: list[Line], cluster: str, *types: str) -> list[Line]:
    return [line for line in lines if getattr(line, "cluster", "") != cluster or getattr(line, "type", "") not in types]


def test_a_whole_run_keeps_every_rule() -> None:
    found = checked(whole())
    assert broken(found) == {}
    assert (found.objects, found.pairs, len(found.counts)) == (1, 2, 8)


# --- lost -----------------------------------------------------------------------------------------------------------
def test_lost_an_accepted_object_that_did_not_come() -> None:
    found = checked([*begin(), *delivered([ONE]), drained()])
    assert broken(found) == {"lost": 1}
    (one,) = found.findings
    assert (one.cluster, one.trial, one.object, one.ops) == (TWO, "t000", "deployments/ns/op-1", [OP])
    assert one.text == (
        "deployments/ns/op-1 was accepted by wds1 at 1.0 s and had not come to wec002 when its trial ended, 9.0 s later"
    )


def test_lost_is_not_said_of_what_was_refused_or_cut_off_or_could_not_be_seen() -> None:
    lines = [*begin(), *delivered([ONE])]
    refused = [Sent(**at(1), op=OP, scheduled_ns=0, sent_ns=0, code=500) if isinstance(x, Sent) else x for x in lines]
    assert broken(checked([*refused, drained()])) == {}
    assert broken(checked(lines)) == {}, "the drain did not finish: the run was cut off"
    down = ClusterState(**at(9), cluster=TWO, state="down")
    assert broken(checked([*lines, down, drained()])) == {}
    up = ClusterState(**at(9.5), cluster=TWO, state="up")
    assert broken(checked([*lines, down, up, drained()])) == {"lost": 1}
    blind = Anomaly(**at(2), what="watch-lost", cluster=TWO)
    assert broken(checked([*lines, blind, drained()])) == {}


# --- once -----------------------------------------------------------------------------------------------------------
def test_once_a_copy_that_is_made_again() -> None:
    again = [seen(6, ONE, "DELETED", 32), seen(7, ONE, "ADDED", 33, uid="new", status=FINAL)]
    found = checked([*begin(), *delivered(), *again, drained()])
    assert broken(found) == {"once": 1}
    assert "a second time at 7.0 s (new), in place of the copy of 3.0 s" in found.findings[0].text


def test_once_two_copies_beside_each_other() -> None:
    found = checked([*begin(), *delivered(), seen(7, ONE, "ADDED", 33, uid="new", status=FINAL), drained()])
    assert broken(found) == {"once": 1}
    assert "(new), alongside the copy" in found.findings[0].text


def test_once_is_not_judged_where_a_fault_put_a_wec_back() -> None:
    again = [seen(7, ONE, "DELETED", 9, gap=True), seen(8, ONE, "ADDED", 12, uid="new", status=FINAL)]
    assert broken(checked([*begin(), *delivered(), *fault(6, 6.5, rewinds=True), *again, drained()])) == {}


# --- misdelivered ---------------------------------------------------------------------------------------------------
def test_misdelivered_a_wec_that_it_was_not_for() -> None:
    lines = [*begin(wecs=[ONE]), *delivered([ONE]), seen(3, TWO, "ADDED", 30), drained()]
    found = checked(lines)
    assert broken(found) == {"misdelivered": 1}
    assert found.findings[0].text == "deployments/ns/op-1 came to wec002 at 3.0 s; it was for wec001"


# --- backwards ------------------------------------------------------------------------------------------------------
def test_backwards_a_generation_that_falls() -> None:
    fall = [seen(6, ONE, "MODIFIED", 32, generation=3, status=FINAL), seen(7, ONE, "MODIFIED", 33, generation=2)]
    found = checked([*begin(), *delivered(), *fall, drained()])
    assert broken(found) == {"backwards": 1}
    assert "in wec001 fell back from generation 3 to 2 at 7.0 s" in found.findings[0].text
    assert broken(checked([*begin(), *delivered(), *fault(5.5, 5.6, rewinds=True), *fall, drained()])) == {}


def test_backwards_a_version_of_what_carries_it() -> None:
    fall = [work(6, ONE, 25, version=4, type_="MODIFIED"), work(7, ONE, 26, version=3, type_="MODIFIED")]
    found = checked([*begin(), *delivered(), *fall, drained()])
    assert broken(found) == {"backwards": 1}
    assert "fell back from version at packaged 4 to 3" in found.findings[0].text


# --- deleted --------------------------------------------------------------------------------------------------------
def test_deleted_a_copy_that_comes_back() -> None:
    back = [seen(14, ONE, "ADDED", 61, uid="ghost"), seen(15, ONE, "DELETED", 62, uid="ghost")]
    found = checked([*whole(), *back])
    assert broken(found) == {"deleted": 1}
    assert "was deleted at wds1 at 11.0 s, went from wec001, and came back there at 14.0 s (ghost)" in (
        found.findings[0].text
    )


def test_deleted_a_copy_that_came_late_and_went_is_none() -> None:
    late = [*begin(), *delivered([ONE]), *deleted(), seen(11.5, TWO, "ADDED", 30)]
    assert broken(checked(late)) == {}


# --- status-owner ---------------------------------------------------------------------------------------------------
def test_status_owner_a_status_that_it_never_had() -> None:
    found = checked([*begin(), *delivered(), reported(6, ONE, 45, WRONG, type_="MODIFIED"), drained()])
    assert broken(found) == {"status-owner": 1}
    assert found.findings[0].text.startswith(
        "at 6.0 s deployments/ns/op-1 was reported with a status that it never had"
    )


def test_status_owner_names_whose_it_is() -> None:
    other = [*planned(OTHER), *delivered(op=OTHER), seen(4.5, ONE, "MODIFIED", 32, op=OTHER, status=WRONG)]
    lines = [*begin(), *delivered(), *other, reported(6, ONE, 45, WRONG, type_="MODIFIED"), drained()]
    found = checked(lines)
    assert broken(found) == {"status-owner": 1}
    assert found.findings[0].text.endswith("in wec001; deployments/ns/op-2 had it")


def test_status_owner_is_not_judged_where_a_watch_was_blind() -> None:
    lines = [*begin(), *delivered(), gap(ONE, 5.5), reported(6, ONE, 45, WRONG, type_="MODIFIED"), drained()]
    assert broken(checked(lines)) == {}


# --- converges ------------------------------------------------------------------------------------------------------
def slow(seconds: float) -> list[Line]:
    """The second WEC's copy is ready only then."""
    return [*begin(), *delivered([ONE]), work(2, TWO, 21), seen(3, TWO, "ADDED", 30),
            seen(seconds, TWO, "MODIFIED", 31, status=FINAL), drained(90)]  # fmt: skip


def test_converges_within_the_bound() -> None:
    assert broken(checked(slow(61))) == {}
    found = checked(slow(62))
    assert broken(found) == {"converges": 1}
    assert "was right in wec002 only at 62.0 s, 61.0 s after it should begin to be; the bound is 60 s" in (
        found.findings[0].text
    )
    assert broken(checked(slow(30), bound=20)) == {"converges": 1}


def test_converges_counts_from_the_end_of_the_trials_faults() -> None:
    assert broken(checked([*slow(62), *fault(5, 20, wec=TWO)])) == {}
    assert broken(checked([*slow(82), *fault(5, 20, wec=TWO)])) == {"converges": 1}


def test_converges_a_status_that_never_becomes_final() -> None:
    never = [line for line in slow(30) if line.ns != at(30)["ns"]]
    assert broken(checked(never)) == {"converges": 1}


def test_converges_a_copy_that_vanishes() -> None:
    found = checked([*begin(), *delivered(), seen(6, ONE, "DELETED", 32), drained()])
    assert broken(found) == {"converges": 1}
    assert "went from wec001 at 6.0 s and was not there when its trial ended" in found.findings[0].text


def test_converges_what_was_deleted_is_gone_at_the_end() -> None:
    lines = without(whole(), ONE, "DELETED")
    assert broken(checked(lines)) == {}, "the run ended before there was time"
    late = [*lines, ClusterState(**at(60), cluster=TWO, state="up")]
    found = checked(late)
    assert broken(found) == {"converges": 1}
    assert "was deleted at wds1 at 11.0 s and was still in wec001 at the end, 49.0 s later" in found.findings[0].text
    assert broken(checked([*late, ClusterState(**at(61), cluster=ONE, state="down")])) == {}


# --- watch ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([seen(6, ONE, "MODIFIED", 31, status=FINAL)], "version 31 came after 31"),
        ([seen(6, ONE, "MODIFIED", 30, status=FINAL)], "version 30 came after 31"),
        ([seen(6, ONE, "MODIFIED", 99, uid="stranger")], "MODIFIED of an object that was never announced"),
        ([seen(6, ONE, "MODIFIED", 29, status=FINAL, listed=True)], "a list shows version 29, older than 31"),
        ([work(6, ONE, 20, type_="MODIFIED")], "version 20 came after 20"),
    ],
)
def test_watch_versions_come_in_order_and_once(lines: list[Line], words: str) -> None:
    found = checked([*begin(), *delivered(), *lines, drained()])
    assert "watch" in broken(found)
    assert words in next(one.text for one in found.findings if one.rule == "watch")


def test_watch_nothing_comes_after_a_deletion() -> None:
    found = checked([*whole(), seen(14, ONE, "MODIFIED", 70)])
    assert broken(found)["watch"] == 1
    assert "MODIFIED after its deletion" in next(one.text for one in found.findings if one.rule == "watch")


def test_watch_a_gap_that_is_marked_excuses() -> None:
    lines = [*begin(), *delivered(), seen(6, ONE, "ADDED", 99, uid="stranger", op="", listed=True, gap=True), drained()]
    assert broken(checked(lines)) == {}


def test_the_source_is_judged_too() -> None:
    found = checked([*begin(), *delivered(), seen(6, WDS, "MODIFIED", 10), drained()])
    assert broken(found) == {"watch": 1}
