"""Leaks: which series is judged how, and what the verdict says."""

from __future__ import annotations

import random

import pytest

from fleet.analysis.leaks import MIB, Leak, leaks, window_of
from fleet.analysis.recorded import record
from fleet.analysis.resources import usages
from fleet.model.leak_rules import LeakRules
from fleet.results.events import Line, MetricSample, ProcessSample, RunMark, Sent, TrialPlan
from fleet.results.format1_manager import MANAGER

SECOND = 1_000_000_000
STEP = 10.0
RULES = LeakRules(least=0.1, warmup=0.2, shortest=300.0)


def process(at: float, program: str, rss: float, fds: int = 20, pid: int = 1) -> ProcessSample:
    return ProcessSample(
        ns=round(at * SECOND), wall=0, machine="m", program=program, component=program, cluster="", pid=pid,
        cpu_seconds=0.0, rss=round(rss), fds=fds,
    )  # fmt: skip


def metric(at: float, name: str, value: float) -> MetricSample:
    return MetricSample(
        ns=round(at * SECOND), wall=0, component="transport", cluster="wds1", name=name, labels="", value=value
    )


def judged(lines: list[Line], rules: LeakRules = RULES) -> dict[tuple[str, str], Leak]:
    recorded = record(sorted(lines, key=lambda line: line.ns), MANAGER, source="wds1", object_timeout=None)
    return {(leak.program, leak.quantity): leak for leak in leaks(recorded, usages(recorded), rules)}


def noise() -> random.Random:
    return random.Random(7)  # noqa: S311 - measured values


def test_a_program_that_grows_leaks_and_one_that_does_not_is_steady() -> None:
    chance = noise()
    lines: list[Line] = []
    for number in range(121):
        at = 1 + number * STEP
        lines.append(process(at, "leaker", 40 * MIB + number * 0.1 * MIB + chance.gauss(0, 0.05 * MIB)))
        lines.append(process(at, "steady", 40 * MIB + chance.gauss(0, 0.05 * MIB)))
        # 102.4 kB per 10 s, 100 objects in them: 1 KiB for each.
        lines += [
            Sent(ns=round((at + n / 100) * SECOND), wall=0, op=f"{number}-{n}", scheduled_ns=0, sent_ns=0, code=201)
            for n in range(100)
        ]
    found = judged(lines)
    leak = found["leaker", "resident memory"]
    assert leak.verdict == "leaking"
    assert leak.per_hour == pytest.approx(36, rel=0.05)  # 0.1 MiB per 10 s
    assert leak.low < leak.per_hour < leak.high
    assert leak.per_object is not None
    assert leak.per_object * 1024 == pytest.approx(1.02, rel=0.05)
    assert str(leak).startswith("leaker leaks resident memory: +3")
    assert "KiB per object" in str(leak)
    assert found["steady", "resident memory"].verdict == "steady"
    assert found["leaker", "descriptors"].verdict == "steady"
    assert next(iter(found)) == ("leaker", "resident memory")


def test_too_short_is_said() -> None:
    lines: list[Line] = [process(1 + n * 2.0, "p", 40 * MIB + n * MIB) for n in range(60)]
    leak = judged(lines)["p", "resident memory"]
    assert leak.verdict == "too short to tell"
    assert "300 s are needed" in leak.reason


def test_a_few_descriptors_are_no_leak_and_many_are() -> None:
    few: list[Line] = [process(1 + n * STEP, "p", MIB, fds=10 + n // 40) for n in range(121)]
    assert judged(few)["p", "descriptors"].verdict == "steady"
    many: list[Line] = [process(1 + n * STEP, "p", MIB, fds=10 + n) for n in range(121)]
    assert judged(many)["p", "descriptors"].verdict == "leaking"


def test_a_restarted_program_is_judged_by_its_longest_life() -> None:
    lines: list[Line] = [process(1 + n * STEP, "p", 90 * MIB, pid=1) for n in range(30)]
    lines += [process(1 + n * STEP, "p", 20 * MIB, pid=2) for n in range(30, 121)]
    leak = judged(lines)["p", "resident memory"]
    assert (leak.verdict, leak.level) == ("steady", pytest.approx(20))


def test_a_heap_is_judged_by_what_collections_leave_and_metrics_hold_between_changes() -> None:
    lines: list[Line] = [process(1 + n * STEP, "transport.wds1", 50 * MIB) for n in range(121)]
    chance = noise()
    for number in range(121):
        at = 1 + number * STEP
        saw = (number % 2) * 20 * MIB  # garbage that every second sample has not lost yet
        lines.append(metric(at, "go_memstats_heap_alloc_bytes", 10 * MIB + saw + chance.gauss(0, 0.05) * MIB))
    lines += [metric(1, "go_goroutines", 40), metric(700, "go_goroutines", 41)]
    found = judged(lines)
    heap = found["transport.wds1", "heap after collection"]
    assert (heap.verdict, heap.level) == ("steady", pytest.approx(10, abs=0.2))
    goroutines = found["transport.wds1", "goroutines"]
    assert (goroutines.verdict, goroutines.level, goroutines.last) == ("steady", 40, 41)


def test_only_the_time_of_the_load_is_judged() -> None:
    """Settling filled it and cleaning emptied it: neither is a trend, nor is the rest after the last send."""
    lines: list[Line] = [
        process(1 + n * STEP, "p", MIB * (10 + min(n, 40) if n < 160 else 5), fds=20) for n in range(200)
    ]
    plan = TrialPlan(
        ns=2 * SECOND, wall=0, trial="t000", layout="one-to-one", wecs=1, repeat=0, clusters=["w"], kind="pod"
    )
    edges = [
        RunMark(ns=at * SECOND, wall=0, step="load", edge=edge, trial="t000")
        for at, edge in ((405, "begin"), (1600, "end"))
    ]
    leak = judged([*lines, plan, *edges])["p", "resident memory"]
    assert (leak.verdict, leak.level, leak.last) == ("steady", 50, 50)
    sent = [Sent(ns=at * SECOND, wall=0, op="o", scheduled_ns=0, sent_ns=0, code=201) for at in (500, 1000, 9000)]
    assert window_of(record([*lines, plan, *edges, *sent], MANAGER, source="wds1", object_timeout=None)) == (
        405 * SECOND, 1000 * SECOND
    )  # fmt: skip
