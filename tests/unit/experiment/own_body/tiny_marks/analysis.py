"""A table and a sentence alongside the samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fleet.analysis.findings import DataColumn, DataTable, Findings, by_stages
from fleet.analysis.recorded import Recorded
from fleet.results.run import RunRecord


def findings(run: RunRecord, recorded: Recorded, folder: Path) -> Findings:
    """By its stages, and what its raw file says."""
    found = by_stages(run, recorded)
    raw = folder / "raw" / "ops.txt"
    wrote = int(raw.read_text()) if raw.exists() else None  # ValueError for a file that somebody else wrote
    columns = [DataColumn(name="file"), DataColumn(name="objects", unit="1")]
    table = DataTable(name="ops", title="What the raw file says", columns=columns, rows=[["ops.txt", wrote]])
    return replace(found, tables=[*found.tables, table], said=["=the objects came"])
