"""The timeline of one sample: every line about it, none about others, what happened to the fleet meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleet.analysis.sample_timeline import Timeline, find, slowest, timelines, told_lines
from fleet.analysis.study import Study, analyse
from fleet.errors import UsageError
from fleet.results.events import ClusterState, GapSeen, Line
from fleet.results.folder import RunFolder
from tests.unit.analysis.simulator import MS, Simulator
from tests.unit.report.made import write_run


def run(root: Path, *extra: Line, shuffle: bool = False) -> RunFolder:
    sim = Simulator()
    sim.trial("one-to-many", ["wec001", "wec002"], objects=2)
    sim.trial("one-to-one", ["wec001", "wec002"])
    lines = sim.out.ordered()
    if shuffle:  # another cluster's watch was faster: what links two lines may come later than both
        lines = [*lines[:6], *reversed(lines[6:])]
    return write_run(root, [*lines, *extra], wecs=2)


def of(folder: RunFolder, text: str) -> tuple[Study, Timeline]:
    study = analyse(folder)
    (found,) = timelines(folder, study.run.format, study.samples, [find(study.samples, text)], study.run.source)
    return study, found


def test_every_line_about_it_and_none_of_another_wec_or_object(tmp_path: Path) -> None:
    study, found = of(run(tmp_path), "slowest:downsync")
    sample = found.sample
    assert sample.seconds == max(s.seconds for s in study.samples if s.stage == "downsync" and s.seconds is not None)
    words = [entry.what for entry in found.entries]
    for mark in ("planned for", "request answered with 201", "bound:", "packaged:", "delivered:", "reported:"):
        assert any(word.startswith(mark) for word in words), mark
    assert {entry.where for entry in found.entries} == {"driver", "wds1", "its1", sample.cluster}
    own = [json.loads(entry.raw) for entry in found.entries]
    assert all(line["ref"][3] == sample.name for line in own if line["t"] in ("planned", "workload"))
    activated = next(entry.ns for entry in found.entries if entry.where == sample.cluster and "ADDED" in entry.what
                     and "deployments" in entry.what)  # fmt: skip
    assert activated == sample.end_ns


def test_links_are_found_in_any_order_of_the_lines(tmp_path: Path) -> None:
    _, plain = of(run(tmp_path / "a"), "slowest:e2e")
    _, shuffled = of(run(tmp_path / "b", shuffle=True), "slowest:e2e")
    assert sorted(entry.what for entry in shuffled.entries) == sorted(entry.what for entry in plain.entries)


def test_offsets_count_from_the_sample_s_begin(tmp_path: Path) -> None:
    _, found = of(run(tmp_path), "slowest:downsync")
    rows = {what: at for at, _, _, what in told_lines(found)}
    assert next(at for what, at in rows.items() if what == "deployments ADDED") in (
        "+0.000",
        f"+{found.sample.seconds:.3f}",
    )


def test_what_happened_to_the_fleet_meanwhile_is_among_them(tmp_path: Path) -> None:
    folder = run(tmp_path / "plain")
    _, found = of(folder, "slowest:downsync")
    middle = ((found.sample.start_ns or 0) + (found.sample.end_ns or 0)) // 2
    beside: list[Line] = [
        GapSeen(ns=middle, wall=0, cluster="its1", resource="manifestworks", start_ns=middle - MS, reason="expired"),
        ClusterState(ns=1, wall=0, cluster="wec002", state="down", reason="long before"),
    ]
    _, again = of(run(tmp_path / "gap", *beside), "slowest:downsync")
    assert [entry.what for entry in again.entries if entry.beside] == ["watch of manifestworks was blind for 0.001 s"]


def test_a_sample_is_named_as_samples_csv_has_it(tmp_path: Path) -> None:
    study = analyse(run(tmp_path))
    one = next(s for s in study.samples if s.stage == "downsync")
    full = find(study.samples, f"{one.trial}:{one.namespace}/{one.name}@{one.cluster}")
    assert (full.trial, full.name, full.cluster) == (one.trial, one.name, one.cluster)
    with pytest.raises(UsageError, match="NAME"):
        find(study.samples, "nothing")


def test_the_slowest_are_one_per_object(tmp_path: Path) -> None:
    study = analyse(run(tmp_path))
    found = slowest(study.samples, "downsync", 3)
    assert len({(s.trial, s.name) for s in found}) == 3
    assert [s.seconds for s in found] == sorted((s.seconds for s in found), reverse=True)
    assert study.slowest[0].sample == slowest(study.samples, "e2e", 1)[0]
