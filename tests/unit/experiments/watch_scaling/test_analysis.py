"""What a run of watch-scaling says, from lines of a client and measured quantities that are made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fleet.analysis.join import Join
from fleet.analysis.recorded import Recorded
from fleet.experiments.watch_scaling.analysis import findings
from fleet.results.events import Line, Measured, MetricSample, RunMark, TrialPlan

API = "server=api protocol=http/2 per_connection=100 rate=10 selector=all"
CEILING = "server=stream protocol=http/2 per_connection=100 rate=10"
SECOND = 1_000_000_000
SERIES = {"component": "kube-apiserver", "cluster": "wec001", "labels": "resource=pods"}


def told(watches: int, *, p99: float | None = 20.0, limit: str = "", ended: int = 0) -> dict[str, Any]:
    expected = watches * 100
    spread = {"p50": 1.0, "p90": 2.0, "p99": 20.0, "max": 30.0, "count": expected, "hdr": ""}
    return {
        "event": "step", "watches": watches, "open": watches, "ended": ended, "refused": 0, "why": "", "connections": 2,
        "seconds": 10.0, "changes": 100, "rejected": 0, "unsent": 0, "expected": expected, "received": expected - 3,
        "late": 1, "bytes": 1, "delivery": spread, "spread": spread, "write": spread, "p99": p99, "limit": limit,
    }  # fmt: skip


def run(folder: Path, trials: dict[str, tuple[str, list[dict[str, Any]]]]) -> Recorded:
    """The API server takes 100 MiB, and 80 KiB and 1 millicore per watch; it counts 7 watches that it threw off
    while those of the last step were opened."""
    (folder / "raw").mkdir()
    recorded = Recorded(Join.__new__(Join))
    lines: list[Line] = []
    for number, (trial, (point, steps)) in enumerate(trials.items()):
        begin = (number + 1) * 1000 * SECOND
        plan: dict[str, Any] = {"layout": "", "wecs": 1, "repeat": 0, "clusters": ["wec001"], "kind": ""}
        lines.append(TrialPlan(ns=begin, wall=0, trial=trial, point=point, **plan))
        (folder / "raw" / f"{trial}-watch.jsonl").write_text("".join(json.dumps(step) + "\n" for step in steps))
        for at, step in enumerate(steps):
            watches, ns = step["watches"], begin + (at + 1) * 20 * SECOND
            of = {"watches": str(watches), "program": "api-server"}
            pss, seen = (100 << 20) + watches * 80 * 1024.0, 7.0 if step["ended"] else 0.0
            lines += [
                Measured(ns=ns, wall=0, trial=trial, name="pss", value=pss, unit="B", of=of),
                Measured(ns=ns, wall=0, trial=trial, name="cpu", value=watches * 1e-3, unit="cores", of=of),
                RunMark(ns=ns, wall=0, step="window", edge="begin", trial=trial, note=str(watches)),
                MetricSample(ns=ns - SECOND, wall=0, name="apiserver_terminated_watchers_total", value=seen, **SERIES),
                RunMark(ns=ns + 10 * SECOND, wall=0, step="window", edge="end", trial=trial, note=str(watches)),
            ]
    for line in lines:
        if isinstance(line, TrialPlan):
            recorded.trials.append(line)
        elif isinstance(line, Measured):
            recorded.measured.append(line)
        elif isinstance(line, RunMark):
            recorded.marks.append(line)
        elif isinstance(line, MetricSample):
            recorded.metrics.append(line)
    return recorded


def test_limits_costs_and_both_ends(tmp_path: Path) -> None:
    steps = [told(100), told(200), told(400), told(800, p99=None, limit="thrown-off", ended=9)]
    ceiling = [told(count) for count in (100, 200, 400, 800, 1600)]
    found = findings(None, run(tmp_path, {"t000": (CEILING, ceiling), "t001": (API, steps)}), tmp_path)  # type: ignore[arg-type]
    limits, costs, every = found.tables

    assert limits.rows[1] == [API, 1, 400, 4000.0, 20.0, 800, "watches were thrown off", None, 20.0, 20.0, 16000.0]
    by_quantity = {row[2]: row[4:7] for row in costs.rows}
    assert by_quantity["memory per watch"] == pytest.approx([80, 80, 80])
    assert by_quantity["CPU per watch"] == pytest.approx([1, 1, 1])
    assert by_quantity["CPU per delivery"] == pytest.approx([100, 100, 100])
    names = [column.name for column in every.columns]
    last = dict(zip(names, every.rows[-1], strict=True))
    assert (last["thrown off"], last["thrown off by its count"], last["never came"], last["p99"]) == (9, 7.0, 3, None)
    assert found.reasons == []
    assert found.said == [
        f"{API}: held 400 watches (4000 deliveries a second), watches were thrown off at 800; a watch takes 80 ± 0 KiB"
    ]


def test_a_limit_that_may_be_the_clients_makes_the_run_partial(tmp_path: Path) -> None:
    steps = [told(100), told(200), told(400, p99=2000.0, limit="late")]
    recorded = run(tmp_path, {"t000": (CEILING, steps), "t001": (API, steps), "t002": (API, [])})
    found = findings(None, recorded, tmp_path)  # type: ignore[arg-type]
    assert found.reasons == [
        f"{API}: no step was measured",
        f"{API}: ended at 4000 deliveries a second, and the client itself held 2000: the limit may be the client's",
    ]
