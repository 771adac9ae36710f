"""Where a trace is found by name: `traces/` alongside the experiments."""

from __future__ import annotations

from pathlib import Path

from fleet.errors import UsageError
from fleet.model.experiment_load import folders
from fleet.model.model_errors import nearest
from fleet.trace.file import SUFFIX

TRACES = "traces"


def available() -> dict[str, Path]:
    """Trace files by name, the first place winning; sorted by name."""
    found: dict[str, Path] = {}
    for place in folders():
        for file in sorted((place / TRACES).glob(f"*{SUFFIX}")):
            found.setdefault(file.name.removesuffix(SUFFIX), file)
    return dict(sorted(found.items()))


def find(name: str) -> Path:
    """The file of a trace: a path when it has a slash or ends in .jsonl, else a name in experiments/traces/."""
    if "/" in name or name.endswith(".jsonl"):
        if not Path(name).is_file():
            raise UsageError(f"trace: there is no file {name}")
        return Path(name)
    known = available()
    if name not in known:
        raise UsageError(f"trace: there is no trace {name!r}{nearest(name, known)}; or give the path of a file")
    return known[name]
