"""What a run says, from answers of a frontend that are made up."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fleet.analysis.join import Join
from fleet.analysis.recorded import Recorded
from fleet.experiments.ui_load.analysis import findings
from fleet.experiments.ui_load.marks import CLIENT_CPU, CLIENT_IDLE, STAGES, WATCHED
from fleet.results.events import Measured, Requested, RunMark, TrialPlan

SECOND = 1_000_000_000
MIB = 1 << 20
OFFSET = 40 * SECOND
"""The client's clock is 0 at this moment of the driver's."""


def event(name: str, received: float, *, kind: str = "Pod", dropped: bool = False) -> dict[str, Any]:
    """Parsed in 1 ms, applied in 2 ms, shown 7 ms later."""
    return {
        "kind": kind, "type": "ADDED", "name": name, "uid": name, "items": 100, "received": received,
        "begin": received + 1, "end": received + 3, "characters": 2048, "shown": None if dropped else received + 10,
        "render": 5.0, "dropped": dropped,
    }  # fmt: skip


def kept(folder: Path, trial: str, *, pods: int, events: list[dict[str, Any]]) -> None:
    request = {
        "cluster": "wec001", "path": "/api/v1/pods", "begin": 1100.0, "headers": 1150.0, "body": 1250.0,
        "parsed": 1300.0, "characters": MIB, "items": pods,
    }  # fmt: skip
    listed = {
        "begin": 1000.0, "data": 1400.0, "shown": 1500.0, "items": {"pods": pods}, "lists": [request],
        "before": 10 * MIB, "after": 30 * MIB, "commits": 2, "render": 60.0,
    }  # fmt: skip
    commits = [{"begin": 0.0, "end": 5.0, "render": 5.0}] * 2
    reported = {"events": events, "commits": commits, "end": 9000.0, "heap": 31 * MIB}
    folder.mkdir(exist_ok=True)
    whole = {"offset_ns": float(OFFSET), "listed": listed, "reported": reported}
    (folder / f"{trial}-client.json").write_text(json.dumps(whole))
    wire = {
        "path": "/clusters/wec001/api/v1/pods?limit=1", "status": 200, "begin_ns": OFFSET + 1101 * 1_000_000,
        "headers_ns": 0, "end_ns": 0, "bytes": MIB // 4, "encoding": "gzip",
    }  # fmt: skip
    others = [{**wire, "path": "/clusters/wec001/api/v1/nodes"}, {**wire, "begin_ns": 0}]
    (folder / "requests.jsonl").write_text("".join(json.dumps(line) + "\n" for line in (wire, *others)))


def recorded(created: list[str], *, trials: int = 1, cpu: float = 0.5) -> Recorded:
    """Pods that the driver created at 42 s; `cpu`: seconds that the client took while it watched."""
    made = Recorded(Join.__new__(Join))
    for number in range(trials):
        trial, begin = f"t{number:03d}", 40 * SECOND
        point = "objects=100 page=pods client=node"
        made.trials.append(
            TrialPlan(
                ns=begin, wall=0, trial=trial, layout="", wecs=1, repeat=0, clusters=["wec001"], point=point, kind=""
            )
        )
        for step, edge, ns in (("load", "begin", begin), ("load", "end", begin + 10 * SECOND)):
            made.marks.append(RunMark(ns=ns, wall=0, step=step, edge=edge, trial=trial))
        for name, value, unit in ((CLIENT_CPU, cpu, "s"), (CLIENT_IDLE, 0.02, "cores"), (WATCHED, 10.0, "s")):
            made.measured.append(Measured(ns=begin, wall=0, trial=trial, name=name, value=value, unit=unit))
    for name in created:
        made.requests.append(
            Requested(
                ns=42 * SECOND + 1000, wall=0, trial="t000", op="create", cluster="wec001", due_ns=42 * SECOND,
                sent_ns=42 * SECOND, code=201, error="", resource="pods", namespace="x", name=name,
            )
        )  # fmt: skip
    return made


def found(tmp_path: Path, made: Recorded) -> Any:
    spec = SimpleNamespace(seed=1, own=lambda _: None)
    return findings(SimpleNamespace(spec=spec, stages=list(STAGES)), made, tmp_path)  # type: ignore[arg-type]


def test_lists_events_and_heap_become_tables_and_creations_samples(tmp_path: Path) -> None:
    events = [event("a", 2050.0), event("a", 2060.0), event("b", 2070.0), event("old", 2080.0, dropped=True)]
    kept(tmp_path / "raw", "t000", pods=100, events=events)
    said = found(tmp_path, recorded(["a", "b", "lost"]))
    tables = {table.name: table for table in said.tables}
    (row,) = tables["lists"].rows
    assert row[:8] == [100, "pods", "node", "t000", 1, 100, pytest.approx(1.0), pytest.approx(0.25)]
    assert row[8:] == [pytest.approx(value) for value in (0.5, 50.0, 100.0, 50.0, 100.0, 60.0)]
    (row,) = tables["watch-events"].rows
    assert row[4:7] == [4, 1, pytest.approx(2.0)]
    assert row[7:11] == [pytest.approx(value) for value in (1.0, 1.0, 2.0, 2.0)]
    assert row[-1] == pytest.approx(100.0)  # 0.3 s of CPU above rest, for the 3 that changed a list
    (row,) = tables["heap"].rows
    assert row[4:8] == [pytest.approx(value) for value in (10.0, 30.0, 31.0, 20 * 1024 / 100)]
    received = {s.name: s.seconds for s in said.samples if s.stage == "received"}
    assert received == {"a": pytest.approx(0.05), "b": pytest.approx(0.07), "lost": None}
    shown = {s.name: s.seconds for s in said.samples if s.stage == "shown"}
    assert shown == {"a": pytest.approx(0.01), "b": pytest.approx(0.01)}
    (page,) = [s for s in said.samples if s.stage == "page"]
    assert (page.start_ns, page.seconds) == (OFFSET + SECOND, pytest.approx(0.5))
    assert said.reasons == []
    assert said.said[0].startswith("pods in node: 100 objects: drawn after 0.50 s, 30 MiB of heap, 2.000 ms")
    assert said.said[0].endswith(", 100.0 ms of CPU for each")


def test_a_client_that_took_less_cpu_than_at_rest_has_no_cpu_per_event(tmp_path: Path) -> None:
    kept(tmp_path / "raw", "t000", pods=100, events=[event("a", 2050.0)])
    said = found(tmp_path, recorded(["a"], cpu=0.1))
    (row,) = next(table.rows for table in said.tables if table.name == "watch-events")
    assert row[-1] is None
    assert said.said[0].endswith(", no more CPU than at rest")


def test_a_page_that_did_not_show_all_and_a_frontend_that_ended_are_reasons(tmp_path: Path) -> None:
    kept(tmp_path / "raw", "t000", pods=60, events=[])
    said = found(tmp_path, recorded([], trials=2))
    assert said.reasons == [
        "t000 (objects=100 page=pods client=node): the page listed 60 objects",
        "t001 (objects=100 page=pods client=node): the frontend did not get to its end",
    ]
