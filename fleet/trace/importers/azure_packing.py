"""Azure's trace for packing of 2020 (sqlite): virtual machines as pods that somebody deletes.

Times are days; a machine without an end was there when the data was taken. Its type says which fraction of each kind of
machine it takes: quantities only with `--machine-cpu` and `--machine-memory`, of the kind with the lowest number.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from fleet.errors import SpecError, UsageError
from fleet.model.trace import Owner
from fleet.trace.file import POD_LIMIT, Trace
from fleet.trace.importers.importer import Machine, Told, trace
from fleet.trace.lives import Life, lines

DAY = 86400.0
MOST_DAYS = 1e4
_VMS = "SELECT vmId, tenantId, vmTypeId, priority, starttime, endtime FROM vm ORDER BY starttime, vmId"
_TYPES = "SELECT vmTypeId, machineId, core, memory FROM vmType ORDER BY vmTypeId, machineId DESC"
OUTSIDE = "they had ended before the trace begins"


class AzurePacking:
    """The whole database."""

    name = "azure-packing"
    text = "Azure's packing trace of 2020 (sqlite)"

    def read(self, file: Path, machine: Machine) -> Trace:
        """As the protocol says."""
        if not file.is_file():
            raise UsageError(f"{file}: there is no such file")
        lives: list[Life] = []
        last, outside = 0.0, 0
        try:
            with contextlib.closing(sqlite3.connect(f"file:{file.resolve()}?mode=ro", uri=True, timeout=5)) as opened:
                sizes = {row[0]: (row[2], row[3]) for row in opened.execute(_TYPES)}
                for number, row in enumerate(opened.execute(_VMS), start=1):
                    if number > POD_LIMIT:
                        raise SpecError(f"has more than {POD_LIMIT} machines: take a part of it", file=file)
                    life, end = _life(row, sizes, machine, file, number)
                    last = max(last, end)
                    if life.deleted is not None and life.deleted < 0:
                        outside += 1
                    else:
                        lives.append(life)
        except sqlite3.Error as error:
            raise SpecError(f"cannot be read as the packing trace: {error}", file=file) from error
        made = lines(lives, 0.0)
        untold = {"exit": "virtual machines have none", "wait": "a machine runs from its start on",
                  "node": "where it ran is not in the trace"}  # fmt: skip
        if not (machine.cpu and machine.memory):
            untold["requests"] = "fractions of a machine that was not named: --machine-cpu, --machine-memory"
        told = Told(
            self.name, "source-s", complete=True, untold=untold, left_out={**made.left_out, OUTSIDE: outside},
            notes=["the end of a machine of low priority may be an eviction"],
            licence="CC-BY",
            attribution="Azure Trace for Packing 2020; Hadary et al., Protean: VM Allocation Service, OSDI 2020",
        )  # fmt: skip
        return trace(told, made.pods, last, file)


def _life(
    row: tuple[Any, ...], sizes: dict[Any, tuple[Any, Any]], machine: Machine, file: Path, number: int
) -> tuple[Life, float]:
    vm, tenant, kind, priority, start, end = row
    for name, value in (("starttime", start), ("endtime", end)):
        if not (isinstance(value, int | float) and abs(value) < MOST_DAYS) and not (
            name == "endtime" and value is None
        ):
            raise SpecError(f"{value!r} is not a number of days", file=file, field=f"vm row {number}: {name}")
    if end is not None and end < start:
        raise SpecError(f"{end} lies before its start ({start})", file=file, field=f"vm row {number}: endtime")
    if kind not in sizes:
        raise SpecError(f"{kind!r} is no type of the table vmType", file=file, field=f"vm row {number}: vmTypeId")
    life = Life(f"vm-{vm}", owner=Owner(kind="Tenant", name=str(tenant)))
    life.before = start < 0
    life.created = life.running = start * DAY
    life.deleted = None if end is None else end * DAY
    life.priority = int(priority) if isinstance(priority, int | float) else None
    core, memory = sizes[kind]
    life.requests = machine.requests(*(float(v) if isinstance(v, int | float) else None for v in (core, memory)))
    return life, (start if end is None else end) * DAY


IMPORTER = AzurePacking()
