"""Whether summary.json, as it was sealed with its run, still says what the events say."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from fleet.analysis.summary import Row
from fleet.results.folder import MANIFEST, RunFolder

SUMMARY = "summary.json"
_COMPARED = ("count", "missing", "min", "p50", "p90", "p99", "max")
_RELATIVE = 1e-6
"""JSON keeps every digit; another order of a sum may cost some."""
MOST = 20
"""Differences that are listed one by one."""


def disagreements(folder: RunFolder, rows: Sequence[Row], status: str) -> list[str]:
    """A sentence per row of the sealed summary that the events contradict; empty when all agree, and for a run that was
    never sealed: its summary may be of a moment in which it still went on."""
    path = folder.path / SUMMARY
    if not (folder.path / MANIFEST).is_file() or not path.is_file():
        return []
    try:
        raw = json.loads(path.read_bytes())
        sealed = [Row.model_validate(row) for row in raw["rows"]]
    except (ValueError, KeyError, TypeError, ValidationError):
        return [f"{SUMMARY} cannot be read"]
    found = list(_compared(sealed, {(row.stage, row.setting): row for row in rows}))
    if raw.get("status") not in (status, None):
        found.insert(0, f"its verdict is {raw.get('status')}, the events give {status}")
    beyond = len(found) - MOST
    return [*found[:MOST], f"{beyond} more"] if beyond > 0 else found


def _compared(sealed: Sequence[Row], rows: Mapping[Any, Row]) -> Iterator[str]:
    """Rows that only the events have are of stages that a newer program measures."""
    for old in sealed:
        new = rows.get((old.stage, old.setting))
        if new is None:
            yield f"{old.stage} ({old.setting}) is not in the events"
            continue
        for name in _COMPARED:
            said, computed = getattr(old, name), getattr(new, name)
            if not _same(said, computed):
                what = f"{name} of {old.stage} ({old.setting})"
                yield f"{what} is {_shown(said)} in {SUMMARY}, {_shown(computed)} by the events"


def _same(said: float | None, computed: float | None) -> bool:
    if said is None or computed is None:
        return said is computed
    return math.isclose(said, computed, rel_tol=_RELATIVE, abs_tol=1e-9)


def _shown(value: float | None) -> str:
    return "absent" if value is None else f"{value:g}"
