"""The program alongside the driver that fetches profiles: `python -m fleet.observe.profiler`, spoken to over its pipes.

A process of its own for the sampler's reason: megabytes of TLS would make the driver's stamps late. First line of
stdin: an `Opening` as JSON. Then one order per line, `take`; the answer is a `profile` line per file, ended by an
empty line.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from fleet.model.base import Model
from fleet.model.experiment_file import Profiles
from fleet.model.fleet_file import FleetFile
from fleet.observe import priority
from fleet.observe.pprof import Fetched, chosen
from fleet.observe.pprof_away import fetch_everywhere
from fleet.results.events import ProfileTaken, encode
from fleet.results.folder import PROFILES


class Opening(Model):
    """What the profiler is given first."""

    fleet: FleetFile
    profiles: Profiles
    folder: str
    """The run folder."""


def file_name(one: Fetched) -> str:
    """`<program>/<kind>-<UTC>.pb.gz`, below the machine's name when it is another; the names sort by time."""
    stamp = datetime.fromtimestamp(one.wall / 1e9, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{one.away}/{one.component.program}/{one.kind}-{stamp}.pb.gz".removeprefix("/")


def store(folder: Path, one: Fetched) -> Path:
    """Write it whole; its path. OSError when the disk refuses."""
    path = folder / file_name(one)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(one.data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def taken(run: Path, one: Fetched) -> ProfileTaken:
    """The line of one answer, its file written; a disk that refuses is its error."""
    error, file = one.error, ""
    if not error:
        try:
            file = store(run / PROFILES, one).relative_to(run).as_posix()
        except OSError as failure:
            error = failure.strerror or str(failure)
    return ProfileTaken(
        ns=one.ns,
        wall=one.wall,
        machine=one.component.machine,
        program=one.component.program,
        component=one.component.component,
        cluster=one.component.cluster,
        kind=one.kind,
        file=file,
        size=len(one.data),
        seconds=round(one.seconds, 3),
        error=error,
    )


async def serve(opening: Opening) -> None:
    """Answer orders until stdin ends."""
    spec = opening.profiles
    programs = chosen(opening.fleet, spec.programs)
    while await asyncio.to_thread(sys.stdin.buffer.readline):
        for one in await fetch_everywhere(opening.fleet, programs, spec.kinds, cpu_seconds=spec.seconds):
            sys.stdout.buffer.write(encode(taken(Path(opening.folder), one)))
        sys.stdout.buffer.write(b"\n")
        sys.stdout.buffer.flush()


def main() -> None:
    """Read what to do, serve. The driver's raised priority is not for this program."""
    priority.give_up()
    asyncio.run(serve(Opening.model_validate_json(sys.stdin.buffer.readline())))


if __name__ == "__main__":
    main()
