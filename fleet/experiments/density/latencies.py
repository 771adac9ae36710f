"""The operations of a load and the steps of a bootstrap, from what the load client has kept in `raw/`."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DONE, LIMITED = "done", "limited"
ERRORS = ("limited", "unsent", "timeout", "connection", "conflict", "throttled", "refused", "server")
"""Classes in which an operation fails, as the load client names them; the first two never reached a server."""


@dataclass(frozen=True)
class Operation:
    """One read or write; moments in seconds since the load began."""

    rung: int
    cluster: str
    op: str
    late: bool
    due: float
    sent: float
    got: float
    end: float
    outcome: str


@dataclass
class Load:
    """One load: when it began (Unix, nanoseconds), its rungs as the client summed them up, and every operation."""

    begin_wall: int = 0
    rungs: list[Mapping[str, Any]] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)

    def of(self, rung: int, op: str) -> list[Operation]:
        """Those of one kind."""
        return [one for one in self.operations if (one.rung, one.op) == (rung, op)]


@dataclass(frozen=True)
class Step:
    """One step of one control plane's bootstrap, seconds."""

    cluster: str
    name: str
    wall: float
    server: float
    sleep: float
    requests: int

    @property
    def client(self) -> float:
        """What was neither: connecting, encoding, waiting for a processor."""
        return self.wall - self.server - self.sleep


@dataclass
class Bootstrap:
    """Steps of all control planes, each one's whole time, and sentences on those that failed."""

    steps: list[Step] = field(default_factory=list)
    wall: dict[str, float] = field(default_factory=dict)
    begin: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


def load(folder: Path, trial: str) -> Load | None:
    """Of a trial; None when it had none."""
    log, raw = folder / "raw" / f"{trial}-load.jsonl", folder / "raw" / f"{trial}-load.csv.gz"
    if not log.exists():
        return None
    found = Load()
    for line in _lines(log):
        if line["event"] == "begin":
            found.begin_wall = int(line["unix_ns"])
        elif line["event"] == "rung":
            found.rungs.append(line)
    found.operations = list(_operations(raw)) if raw.exists() else []
    return found


def bootstrap(folder: Path, trial: str) -> Bootstrap | None:
    """Of a trial; None when it had none."""
    log = folder / "raw" / f"{trial}-bootstrap.jsonl"
    if not log.exists():
        return None
    found = Bootstrap()
    for line in _lines(log):
        if line["event"] != "bootstrapped":
            continue
        name = str(line["cluster"])
        found.wall[name], found.begin[name] = float(line["wall"]), float(line["begin"])
        found.steps += [Step(name, s["name"], s["wall"], s["server"], s["sleep"], s["requests"]) for s in line["steps"]]
        if line["failed"]:
            found.failed.append(f"{name}: {line['failed']} ({line['outcome']} {line['status'] or ''})".strip())
    return found


def errors(operations: Sequence[Operation]) -> Counter[str]:
    """How many of each class."""
    return Counter(one.outcome for one in operations if one.outcome != DONE)


def by_step(steps: Sequence[Step]) -> dict[str, list[Step]]:
    """In the order in which they are made."""
    found: defaultdict[str, list[Step]] = defaultdict(list)
    for step in steps:
        found[step.name].append(step)
    return dict(found)


def _lines(log: Path) -> Iterator[Mapping[str, Any]]:
    """Those that are whole: a client that was killed leaves half of one."""
    for text in log.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            yield json.loads(text)
        except json.JSONDecodeError:
            return


def _operations(raw: Path) -> Iterator[Operation]:
    """A file that was cut short ends early."""
    with gzip.open(raw, "rt", encoding="ascii", newline="") as file:
        rows = csv.DictReader(file)
        while True:
            try:
                row = next(rows)
            except (StopIteration, EOFError, gzip.BadGzipFile, OSError):
                return
            due, sent, got, end = (int(row[f"{name}_us"] or 0) / 1e6 for name in ("due", "sent", "got", "end"))
            yield Operation(
                int(row["rung"]), row["cluster"], row["op"], row["late"] == "true", due, sent, got, end, row["outcome"]
            )
