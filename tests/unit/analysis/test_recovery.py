"""Recovery after a fault, from hand-made histories with numbers worked out by hand."""

from __future__ import annotations

import pytest

from fleet.analysis.join import Join
from fleet.analysis.recorded import Recorded
from fleet.analysis.recovery import FaultTrial, Known, fault_rows, fault_trials, outstanding, settling
from fleet.analysis.samples import Sample
from fleet.results.events import (
    ClusterState,
    GapSeen,
    Line,
    MarkSeen,
    MetricSample,
    ProgramChanged,
    RunMark,
    Sent,
    TrialPlan,
)
from fleet.results.format1_manager import MANAGER
from tests.unit.analysis.checker.histories import (
    FINAL,
    OTHER,
    SECOND,
    WDS,
    WECS,
    at,
    begin,
    delivered,
    drained,
    fault,
    history_of,
    planned,
    seen,
)

ONE, TWO = WECS


def found(lines: list[Line]) -> list[FaultTrial]:
    ordered = sorted(lines, key=lambda one: one.ns)
    recorded = Recorded(Join(MANAGER, source=WDS))
    for line in ordered:
        recorded.add(line)
    return fault_trials(Known(history_of(ordered), recorded, {"its1"}, {}))


def test_recovery_counts_from_healed_to_the_last_pair_that_was_accepted_before() -> None:
    # Accepted at 1 s for two WECs; the first is right at 4 s; the fault is from 2 to 8 s; the second is right at 13 s.
    lines = [*begin(), *delivered([ONE]), *fault(2, 8, wec=TWO), seen(12, TWO, "ADDED", 30),
             seen(13, TWO, "MODIFIED", 31, status=FINAL), drained(14)]  # fmt: skip
    (one,) = found(lines)
    assert one.lasted == pytest.approx(6.0)
    assert one.recovery == pytest.approx(5.0)
    assert (one.backlog, one.unrecovered) == (2, 0)


def test_what_is_accepted_after_it_was_healed_does_not_count() -> None:
    later = [Sent(**at(9), op=OTHER, scheduled_ns=0, sent_ns=0, code=201)]
    late = [line for line in planned(OTHER) if not isinstance(line, Sent)]
    copies = [seen(20, wec, "ADDED", 50, op=OTHER, status=FINAL) for wec in WECS]
    lines = [*begin(), *delivered(), *fault(2, 8), *late, *later, *copies, drained(21)]
    (one,) = found(lines)
    assert one.recovery == pytest.approx(0.0)


def test_what_the_fault_breaks_counts_until_it_is_right_again() -> None:
    # Right in both WECs since 4 s; put back at 5 to 6 s; the copy is seen to be gone at 7 s, and right again at 9.5 s.
    back = [seen(7, ONE, "DELETED", 9, gap=True), seen(9.5, ONE, "ADDED", 12, uid="new", status=FINAL)]
    (one,) = found([*begin(), *delivered(), *fault(5, 6, rewinds=True), *back, drained(10)])
    assert one.recovery == pytest.approx(3.5)
    assert one.backlog == 1


def test_what_never_recovers_is_counted() -> None:
    (one,) = found([*begin(), *delivered([ONE]), *fault(2, 8, wec=TWO), drained(60)])
    assert (one.recovery, one.unrecovered, one.backlog) == (None, 1, 2)


def test_what_the_clean_up_takes_away_has_not_recovered() -> None:
    clean = RunMark(**at(61), step="clean", edge="begin", trial="t000")
    (one,) = found([*begin(), *delivered([ONE]), *fault(2, 8, wec=TWO), drained(60), clean])
    assert (one.recovery, one.unrecovered, one.backlog) == (None, 1, 2)


def test_copies_that_go_before_their_source_when_the_driver_deletes_are_not_broken() -> None:
    # Of a manager with finalizers the copies go first, here 4 s after the fault was healed; the source never does.
    clean = RunMark(**at(11), step="clean", edge="begin", trial="t000")
    gone = [seen(12, wec, "DELETED", 60) for wec in WECS]
    (one,) = found([*begin(), *delivered(), *fault(5, 8), drained(10), clean, *gone])
    assert (one.recovery, one.unrecovered, one.backlog) == (pytest.approx(0.0), 0, 0)


def test_a_fault_that_was_not_healed_has_no_recovery() -> None:
    lines = [*begin(), *delivered(), *fault(5, 6)[:1], drained(10)]
    (one,) = found(lines)
    assert (one.lasted, one.recovery) == (None, None)


@pytest.mark.parametrize(
    ("line", "seconds", "by"),
    [
        (ClusterState(**at(3), cluster=ONE, state="down"), 1.0, "wec001 did not answer"),
        (ClusterState(**at(3), cluster=TWO, state="down"), None, ""),
        (GapSeen(**at(5), cluster=ONE, resource="x", start_ns=at(3)["ns"], reason="x"), 3.0,
         "a watch of wec001 was blind"),
        (ProgramChanged(**at(4), machine="m", program="etcd", component="etcd", old_pid=1), None, ""),
        (Sent(**at(6), op="x", scheduled_ns=0, sent_ns=0, code=429), 4.0, "a write was answered with 429"),
        (Sent(**at(6), op="x", scheduled_ns=0, sent_ns=0, code=0), 4.0, "a write was answered with nothing"),
        (ClusterState(**at(39), cluster=ONE, state="down"), None, ""),
        (MarkSeen(**at(5), cluster=ONE, type="MODIFIED", uid="u", rv="1", trial="t000", resource="nodes", namespace="",
                  name="n-1", mark="unready"), 3.0, "n-1 (nodes) was not ready"),
    ],
)  # fmt: skip
def test_the_first_sign_of_it(line: Line, seconds: float | None, by: str) -> None:
    (one,) = found([*begin(), *delivered(), *fault(2, 8), line, drained(60)])
    assert one.noticed == (None if seconds is None else pytest.approx(seconds))
    assert one.noticed_by == by


def test_outstanding_times_of_a_pair() -> None:
    back = [seen(7, ONE, "DELETED", 9), seen(9, ONE, "ADDED", 40, uid="new"),
            seen(10, ONE, "MODIFIED", 41, uid="new", status=FINAL)]  # fmt: skip
    history = history_of([*begin(wecs=[ONE]), *delivered([ONE]), *back, drained(12)])
    spans = [(round(since / SECOND - 1, 1), until and round(until / SECOND - 1, 1))
             for since, until in outstanding(history, "t000")]  # fmt: skip
    assert spans == [(1.0, 4.0), (7.0, 10.0)]


def test_extra_requests_against_the_mean_of_undisturbed_trials() -> None:
    def requests(seconds: float, value: float) -> MetricSample:
        return MetricSample(
            **at(seconds), component="kube-apiserver", cluster="its1", name="apiserver_request_total",
            labels="resource=x,verb=GET", value=value,
        )  # fmt: skip

    calm = [
        TrialPlan(**at(start), trial=name, layout="one-to-many", wecs=2, repeat=1, clusters=[], kind="deployment")
        for start, name in ((100, "t001"), (200, "t002"))
    ]
    counts = [requests(0, 0), requests(99, 70), requests(150, 90), requests(199, 90), requests(250, 130)]
    (one,) = found([*begin(), *delivered(), *fault(2, 8), drained(20), requests(19, 70), *calm, *counts])
    # The trial with the fault took 70, the others 20 and 40.
    assert (one.requests, one.extra_requests) == (70.0, 40.0)


def test_objects_of_an_experiment_with_marks_of_its_own_are_outstanding_until_they_are_settled() -> None:
    # Three objects from 1 s; they run at 3 s, at 12 s and never; the fault is from 2 to 8 s. One more comes afterwards.
    def ran(start: float, end: float | None, stage: str = "running") -> Sample:
        return Sample(
            trial="t000", repeat=0, layout="one-to-many", wecs=1, policy="", kind="pod", namespace="", name="p",
            cluster=ONE, stage=stage, start_ns=at(start)["ns"], end_ns=None if end is None else at(end)["ns"],
            seconds=None, server_seconds=None, flags=(),
        )  # fmt: skip

    samples = [ran(1, 3), ran(1, 12), ran(9, 20), ran(1, 30, "bound")]
    lines: list[Line] = [begin()[0], *fault(2, 8)]
    recorded = Recorded(Join(MANAGER, source=WDS))
    for line in lines:
        recorded.add(line)

    def judged(more: list[Sample]) -> FaultTrial:
        spans = settling([*samples, *more], {"running"})
        (one,) = fault_trials(Known(history_of(lines), recorded, {ONE}, spans))
        return one

    assert judged([]).recovery == pytest.approx(4.0)
    assert judged([]).backlog == 2
    assert (judged([ran(1, None)]).recovery, judged([ran(1, None)]).unrecovered) == (None, 1)


def test_rows_are_over_repeats() -> None:
    def trial(number: int, recovery: float | None, backlog: int) -> FaultTrial:
        return FaultTrial(
            trial=f"t{number:03d}", action="stop", target="its1", layout="one-to-many", wecs=2, noticed=1.0 * number,
            recovery=recovery, backlog=backlog, unrecovered=0 if recovery is not None else 1, extra_requests=5.0,
        )  # fmt: skip

    (row,) = fault_rows([trial(1, 2.0, 4), trial(2, 6.0, 8), trial(3, None, 9)], [], frozenset())
    assert (row.repeats, row.unrecovered, row.unnoticed) == (3, 1, 0)
    assert (row.noticed_p50, row.noticed_max, row.noticed_p99) == (2.0, 3.0, None)
    assert (row.recovery_p50, row.recovery_max) == (2.0, 6.0)
    assert (row.backlog_p50, row.backlog_max, row.extra_requests_p50) == (8, 9, 5.0)
