"""Offered and achieved rate and lateness of an open loop, by hand."""

from __future__ import annotations

import pytest

from fleet.analysis.fidelity import LoadFidelity, fidelity, measure, shortfalls
from fleet.analysis.recorded import record
from fleet.results.events import Line, ObjectRef, Planned, Sent, TrialPlan
from fleet.results.format1_manager import MANAGER

SECOND = 1_000_000_000


def sent(op: str, scheduled: float, left: float, code: int = 201) -> Sent:
    return Sent(ns=0, wall=0, op=op, scheduled_ns=round(scheduled * SECOND), sent_ns=round(left * SECOND), code=code)


def measured(*sends: tuple[float, float]) -> LoadFidelity:
    found = measure("t000", "shape", [sent(str(n), *one) for n, one in enumerate(sends)])
    assert found is not None
    return found


def test_rates_and_lags_by_hand() -> None:
    # Five a second were requested; the last left a second late: four intervals took 1.8 s instead of 0.8 s.
    found = measured((10.0, 10.001), (10.2, 10.202), (10.4, 10.403), (10.6, 10.604), (10.8, 11.801))
    assert found.offered == pytest.approx(5.0)
    assert found.achieved == pytest.approx(4 / 1.8)
    assert found.share == pytest.approx(0.8 / 1.8)
    assert (found.lag_p50, found.lag_max) == (pytest.approx(0.003), pytest.approx(1.001))
    assert found.lag_p99 == found.lag_max
    assert not found.punctual


def test_a_burst_has_no_rate_and_is_judged_by_its_lags_alone() -> None:
    found = measured((1.0, 1.001), (1.0, 1.002))
    assert (found.offered, found.share) == (None, 1.0)
    assert found.kept_up
    assert found.punctual


def test_nothing_sent_is_nothing_measured() -> None:
    assert measure("t000", "shape", []) is None


def test_only_counted_trials_with_a_schedule_and_only_first_attempts_count() -> None:
    ref = ObjectRef("", "configmaps", "n", "a")

    def trial(name: str, repeat: int, load: str, times: list[tuple[float, float]]) -> list[Line]:
        plan = TrialPlan(
            ns=1, wall=1, trial=name, layout="one-to-one", wecs=1, repeat=repeat, clusters=["w"], kind="c", load=load
        )
        lines: list[Line] = [plan]
        for number, one in enumerate(times):
            op = f"{name}-{number}"
            planned = Planned(ns=1, wall=1, trial=name, op=op, policy="p", ref=ref, clusters=["w"], status="none")
            lines += [planned, sent(op, *one)]
        return lines

    even = [(n / 10, n / 10 + 0.001) for n in range(30)]
    slow = [(n / 10, n / 8 + 0.001) for n in range(30)]
    lines = [
        *trial("t000", -1, "shape", slow),
        *trial("t001", 0, "", slow),
        *trial("t002", 0, "shape", even),
        *trial("t003", 1, "shape", slow),
        sent("t002-0", 0.0, 99.0),  # a second attempt
    ]
    found = fidelity(record(lines, MANAGER, source="wds1", object_timeout=None))
    assert [(one.trial, one.sends, one.kept_up, one.punctual) for one in found] == [
        ("t002", 30, True, True),
        ("t003", 30, False, False),
    ]
    (short,) = shortfalls(found)
    assert str(short).startswith("t003 (shape), sent 8.0 of 10.0 objects per second, late by 7")
