"""Keeps, at the end of a run, the audit lines of the objects that its watches saw."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from fleet.analysis.stamp_errors import ObjectKey, key_of
from fleet.host.audit import LOG
from fleet.host.layout import Layout
from fleet.model.fleet_file import FleetFile
from fleet.results.events import Audited, HopSeen, Line, ObjectRef, WorkloadSeen

SAMPLE = "sample"
"""Of the variable `audit`."""
PART = 2000
"""Lines that are read at once: the event loop has other things to do."""


class AuditSample:
    """The logs of a fleet's API servers on this machine, from where they were when this was made."""

    def __init__(self, fleet: FleetFile) -> None:
        local = {machine.name: Path(machine.state_dir) for machine in fleet.machines if machine.connection == "local"}
        logs = {c.name: Layout(local[c.machine]).cluster(c.name) / LOG for c in fleet.clusters if c.machine in local}
        self._logs = {name: (path, path.stat().st_size) for name, path in logs.items() if path.exists()}
        self._seen: set[ObjectKey] = set()
        self.unread = [c.name for c in fleet.clusters if c.name not in self._logs]
        """Control planes without a log on this machine."""

    @classmethod
    def of(cls, fleet: FleetFile) -> AuditSample | None:
        """None for a fleet whose API servers keep none."""
        return cls(fleet) if fleet.variables.get("audit") == SAMPLE else None

    def note(self, line: Line) -> None:
        """A watch saw an object: its writes will be kept."""
        if isinstance(line, WorkloadSeen | HopSeen):
            self._seen.add(key_of(line))

    async def lines(self) -> list[Audited]:
        """Every write of those objects that was answered since this was made; a log that was begun again, from its
        begin."""
        found: list[Audited] = []
        for cluster, (path, offset) in self._logs.items():
            with path.open("rb") as log:
                log.seek(offset if path.stat().st_size >= offset else 0)
                while (part := await asyncio.to_thread(self._part, cluster, log)) is not None:
                    found += part
        return found

    def _part(self, cluster: str, log: BinaryIO) -> list[Audited] | None:
        """Of the next lines those that are wanted; None at the end."""
        found: list[Audited] = []
        for number, line in enumerate(log, start=1):
            if line.endswith(b"\n"):
                found += self._wanted(cluster, orjson.loads(line))
            if number == PART:
                return found
        return found or None

    def _wanted(self, cluster: str, event: Mapping[str, Any]) -> Iterator[Audited]:
        about = event.get("objectRef") or {}
        group = str(about.get("apiGroup") or "")
        ref = ObjectRef(
            group, str(about.get("resource") or ""), str(about.get("namespace") or ""), str(about.get("name") or "")
        )
        if (cluster, ref.kind, ref.namespace, ref.name) not in self._seen:
            return
        wall = _nanoseconds(event["stageTimestamp"])
        yield Audited(
            ns=wall - (time.time_ns() - time.monotonic_ns()),
            wall=wall,
            cluster=cluster,
            verb=str(event["verb"]),
            ref=ref,
            received_wall=_nanoseconds(event["requestReceivedTimestamp"]),
            code=int((event.get("responseStatus") or {}).get("code") or 0),
            sub=str(about.get("subresource") or ""),
        )


def _nanoseconds(stamp: str) -> int:
    """Unix time of an RFC 3339 stamp with microseconds."""
    moment = datetime.fromisoformat(stamp)
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000_000 + moment.microsecond * 1000
