"""Tables of a fleet at rest: by part of it in each window, and by program."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from statistics import median

from fleet.analysis.findings import DataColumn, DataTable, Findings, by_stages
from fleet.analysis.recorded import Recorded
from fleet.analysis.sizing.quantity import PART_TEXT, PARTS
from fleet.analysis.sizing.rest import Values, rest_values
from fleet.results.run import RunRecord

UNITS = {
    "cpu": "cores", "pss": "B", "rss": "B", "anonymous": "B", "peak_rss": "B",
    "descriptors": "", "inotify": "", "threads": "", "build_cpu": "s", "ports": "",
}  # fmt: skip
"""Every quantity of a program in a window; `ports` of the fleet. `peak_rss` and `build_cpu` are since its start."""
SHOWN = (
    ("idle_cpu", "cpu", "cores"), ("memory", "pss", "B"), ("rss", "rss", "B"), ("peak_rss", "peak_rss", "B"),
    ("descriptors", "descriptors", ""), ("inotify", "inotify", ""), ("threads", "threads", ""),
    ("build_cpu", "build_cpu", "s"),
)  # fmt: skip
"""Quantity, its column and unit."""
GIB = 1024.0**3


def findings(run: RunRecord, recorded: Recorded, folder: Path) -> Findings:  # noqa: ARG001 - as of every experiment
    """Both tables, and the answer in a sentence."""
    found = by_stages(run, recorded)
    windows = rest_values(run, recorded)
    restless = [one.text for one in recorded.anomalies if one.what in ("restarted", "ended")]
    reasons = [f"the fleet did not rest: {text}" for text in restless]
    return replace(
        found,
        tables=[_by_part(windows), _by_program(recorded)],
        reasons=[*found.reasons, *reasons],
        said=[_said(len(run.fleet.wecs()), list(windows.values()))] if windows else [],
    )


def _by_part(windows: dict[str, Values]) -> DataTable:
    columns = [DataColumn(name="trial"), DataColumn(name="part")]
    columns += [DataColumn(name=column, unit=unit) for _, column, unit in SHOWN]
    rows: list[list[str | int | float | None]] = []
    for trial, values in windows.items():
        rows += [
            [trial, PART_TEXT[part], *(values.get(f"{name}.{part}") for name, _, _ in SHOWN)]
            for part in PARTS
            if f"memory.{part}" in values
        ]
        rows.append([trial, "total", *(values.get(name) for name, _, _ in SHOWN)])
    return DataTable(name="parts", title="The fleet at rest, by part", columns=columns, rows=rows)


def _by_program(recorded: Recorded) -> DataTable:
    """Medians over the windows."""
    names = [name for name in UNITS if name != "ports"]
    found: defaultdict[tuple[str, str], defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in recorded.measured:
        if "program" in one.of:
            found[one.of["machine"], one.of["program"]][one.name].append(one.value)
    columns = [DataColumn(name="machine"), DataColumn(name="program")]
    columns += [DataColumn(name=name, unit=UNITS[name]) for name in names]
    rows: list[list[str | int | float | None]] = [
        [machine, program, *(median(values[name]) if values[name] else None for name in names)]
        for (machine, program), values in sorted(found.items())
    ]
    return DataTable(name="programs", title="The fleet at rest, by program", columns=columns, rows=rows)


def _said(wecs: int, windows: list[Values]) -> str:
    memory = median(one.get("memory", 0.0) for one in windows) / GIB
    cpu = median(one.get("idle_cpu", 0.0) for one in windows)
    return f"at rest, {wecs} WECs with all that belongs to them take {memory:.2f} GiB (PSS) and {cpu:.3f} cores"
