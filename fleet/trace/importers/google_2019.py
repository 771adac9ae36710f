"""Google's cluster trace of 2019 (ClusterData2019), table `instance_events` as JSON lines, compressed or not.

Times are microseconds, and the trace begins at 600 s: what is earlier was there before, the largest number means after
its end. Requests are fractions of the largest machine: quantities only with `--machine-cpu` and `--machine-memory`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet.errors import SpecError
from fleet.model.trace import Owner
from fleet.trace.file import Trace
from fleet.trace.importers.importer import Machine, Told, documents, trace
from fleet.trace.lives import Life, lines

BEGIN = 600.0
"""Seconds at which the trace begins."""
AFTER = 2**63 - 1
LOST = "their end is missing in the source (LOST): left open"
_SUBMIT, _SCHEDULE, _EVICT, _FAIL, _FINISH, _KILL, _LOST = 0, 3, 4, 5, 6, 7, 8
_TYPES = {
    name: number
    for number, name in enumerate(
        ("SUBMIT", "QUEUE", "ENABLE", "SCHEDULE", "EVICT", "FAIL", "FINISH", "KILL", "LOST", "UPDATE_PENDING",
         "UPDATE_RUNNING")
    )
}  # fmt: skip
_ENDS = (_EVICT, _FAIL, _FINISH, _KILL)


class Google2019:
    """One file of the table, or a part of it."""

    name = "google-2019"
    text = "table instance_events of Google's ClusterData2019, JSON lines"

    def read(self, file: Path, machine: Machine) -> Trace:
        """As the protocol says. An instance that is submitted again after its end is a pod of its own."""
        lives: list[Life] = []
        now: dict[tuple[int, int], Life] = {}
        moments: list[float] = []
        lost = 0
        rows = [_row(row, file, number) for number, row in documents(file)]
        for key, kind, moment, row in sorted(rows, key=lambda one: one[2]):
            if moment == float("inf"):
                continue
            moments.append(moment)
            life = now.get(key)
            if life is None or (kind == _SUBMIT and (life.ended is not None or life.deleted is not None)):
                life = now[key] = _life(key, life)
                lives.append(life)
            lost += kind == _LOST
            _take(life, kind, moment, row, machine)
        zero = max(BEGIN, min(moments, default=BEGIN))
        made = lines(lives, zero)
        untold = {"exit": "the trace has no exit codes"}
        if not (machine.cpu and machine.memory):
            untold["requests"] = "fractions of a machine that was not named: --machine-cpu, --machine-memory"
        told = Told(
            self.name, "source-us", complete=lost == 0, untold=untold, left_out=made.left_out,
            notes=[f"{lost} pods: {LOST}"] if lost else [], licence="CC-BY-4.0",
            attribution="Google cluster-usage traces v3 (ClusterData2019), Google Inc.",
        )  # fmt: skip
        return trace(told, made.pods, max(moments, default=zero) - zero, file)


def _life(key: tuple[int, int], former: Life | None) -> Life:
    name = f"{key[0]}-{key[1]}"
    again = 1 + (int(former.key.rpartition("#")[2]) if "#" in former.key else 0) if former is not None else 0
    life = Life(f"{name}#{again}" if again else name)
    life.owner = Owner(kind="Job", name=str(key[0]))
    return life


def _row(row: Mapping[str, Any], file: Path, line: int) -> tuple[tuple[int, int], int, float, Mapping[str, Any]]:
    def whole(name: str) -> int:
        value = row.get(name)
        if name == "type" and isinstance(value, str) and value in _TYPES:
            return _TYPES[value]
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise SpecError(f"{str(value)[:40]!r} is not a whole number", file=file, line=line, field=name)
        return value

    time = whole("time")
    moment = float("inf") if time >= AFTER else time / 1e6
    return (whole("collection_id"), whole("instance_index")), whole("type"), moment, row


def _take(life: Life, kind: int, moment: float, row: Mapping[str, Any], machine: Machine) -> None:
    if moment < BEGIN:
        life.before = True
    if life.created is None and (kind == _SUBMIT or life.before):
        life.created = moment
    requested = row.get("resource_request")
    if isinstance(requested, Mapping) and not life.requests:
        cpu, memory = (requested.get(name) for name in ("cpus", "memory"))
        life.requests = machine.requests(*(float(v) if isinstance(v, int | float) else None for v in (cpu, memory)))
    if isinstance(row.get("priority"), int | str) and str(row["priority"]).isdigit():
        life.priority = int(row["priority"])
    if kind == _SCHEDULE and life.running is None:
        life.bound = life.running = moment
        node = row.get("machine_id")
        life.node = str(node) if node not in (None, "", "0", 0) else None
    elif kind in _ENDS and life.ended is None and life.deleted is None:
        if kind in (_FAIL, _FINISH):
            life.ended, life.succeeded = moment, kind == _FINISH
        else:
            life.deleted, life.evicted = moment, kind == _EVICT


IMPORTER = Google2019()
