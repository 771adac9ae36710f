"""The waterfall and the plain answer, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.analysis.join import Join
from fleet.analysis.study import analyse
from fleet.report.answer import answer, seconds
from fleet.report.waterfall import waterfalls
from fleet.results.format1_manager import MANAGER
from tests.unit.analysis.simulator import Hops, Simulator
from tests.unit.report.made import write_run

PLAIN = Hops(bind=2101, package=20, per_wec=400, free=0, deliver=60, activate=15, ready=1200, report=40, finalize=90,
             jitter=0)  # fmt: skip


def test_segments_are_the_hops_and_the_hold_back_stands_apart() -> None:
    sim = Simulator(hops=PLAIN)
    sim.trial("one-to-one", ["wec001"])
    join = Join(MANAGER, source="wds1")
    for line in sim.out.ordered():
        join.feed(line)
    (bar,) = waterfalls(join.samples(), join.table)
    lengths = {segment.name: round(segment.end - segment.start, 3) for segment in bar.segments}
    assert lengths == {
        "hold-back": 2.0, "binding": 0.1, "packaging": 0.02, "delivery": 0.06, "activation": 0.015, "workload": 1.2,
        "report": 0.04, "finalization": 0.09,
    }  # fmt: skip
    assert bar.end == pytest.approx(3.525)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "not measured"), (0.0344, "34 ms"), (2.126, "2.13 s"), (38.44, "38.4 s"), (0.9996, "1000 ms")],
)
def test_latencies_in_prose(value: float | None, text: str) -> None:
    assert seconds(value).replace("\N{NO-BREAK SPACE}", " ") == text


def test_the_answer_is_about_the_most_wecs_and_names_the_limits(tmp_path: Path) -> None:
    sim = Simulator(hops=PLAIN)
    for count in (1, 10):
        sim.trial("one-to-many", [f"wec{number:03d}" for number in range(1, count + 1)])
    said = " ".join(answer(analyse(write_run(tmp_path, sim.out.ordered(), wecs=10)))).replace("\N{NO-BREAK SPACE}", " ")
    assert said.startswith("At 10 WECs and one policy for all WECs, an object was in its WEC after 3.79 s")
    assert "the client-side rate limits alone require at least 2.00 s more" in said


def test_at_a_small_size_the_limits_add_nothing(tmp_path: Path) -> None:
    sim = Simulator(hops=PLAIN)
    sim.trial("one-to-one", ["wec001"])
    said = answer(analyse(write_run(tmp_path, sim.out.ordered(), wecs=1)))
    assert said[-2].endswith("at this size the client-side rate limits add nothing.")
    assert said[-1].startswith("Finalized: ")
