"""Profiles of programs on any machine: those on another's loopback are fetched there and sent back over SSH.

Run there as `python -m fleet.observe.pprof_away`: one line of JSON on stdin (`Wanted`), a list of `Answer` on stdout.
"""

from __future__ import annotations

import asyncio
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence

from pydantic import TypeAdapter, ValidationError

from fleet.errors import FleetError
from fleet.model.base import Model
from fleet.model.experiment_file import ProfileKind
from fleet.model.fleet_file import Component, FleetFile, Machine
from fleet.observe.pprof import SLACK_SECONDS, Fetched, fetch
from fleet.remote.shell import FabricShell, Shell

MODULE = "fleet.observe.pprof_away"


class Wanted(Model):
    """What to fetch; `seconds` is the length of a CPU profile."""

    programs: list[Component]
    kinds: list[ProfileKind]
    seconds: float


class Answer(Model):
    """One profile, or why there is none."""

    program: str
    kind: ProfileKind
    seconds: float
    data: str = ""
    """Base64."""
    error: str = ""


_ANSWERS = TypeAdapter(list[Answer])


async def fetch_everywhere(
    fleet: FleetFile,
    programs: Sequence[Component],
    kinds: Sequence[ProfileKind],
    *,
    cpu_seconds: float = 10.0,
    connect: Callable[[Machine], Shell] = FabricShell,
) -> list[Fetched]:
    """As `pprof.fetch`, for programs of every machine of the fleet; all machines are asked at the same time."""
    machines = {machine.name: machine for machine in fleet.machines if machine.connection == "ssh"}
    here = [program for program in programs if program.machine not in machines]
    asked = []
    for machine in machines.values():
        there = [program for program in programs if program.machine == machine.name]
        if there:
            wanted = Wanted(programs=there, kinds=list(dict.fromkeys(kinds)), seconds=cpu_seconds)
            asked.append(asyncio.to_thread(_ask, machine, wanted, connect))
    parts = await asyncio.gather(fetch(here, kinds, cpu_seconds=cpu_seconds), *asked)
    found = {(one.component.machine, one.component.program, one.kind): one for part in parts for one in part}
    keys = [(program.machine, program.program, kind) for program in programs for kind in dict.fromkeys(kinds)]
    return [found[key] for key in keys if key in found]


def _ask(machine: Machine, wanted: Wanted, connect: Callable[[Machine], Shell]) -> list[Fetched]:
    """What that machine answers; when it does not, every program of it is reported with the reason."""
    ns, wall = time.monotonic_ns(), time.time_ns()
    programs = {program.program: program for program in wanted.programs}
    try:
        shell = connect(machine)
        try:
            line = wanted.model_dump_json().encode() + b"\n"
            said = shell.run([machine.python, "-m", MODULE], seconds=wanted.seconds + 2 * SLACK_SECONDS, stdin=line)
        finally:
            shell.close()
        answers = _ANSWERS.validate_json(said)
    except (FleetError, ValidationError) as error:
        answers = [
            Answer(program=name, kind=kind, seconds=0.0, error=str(error)) for name in programs for kind in wanted.kinds
        ]
    return [
        Fetched(programs[one.program], one.kind, ns, wall, one.seconds, b64decode(one.data), one.error, machine.name)
        for one in answers
        if one.program in programs
    ]


def main() -> None:
    """Answer one question."""
    wanted = Wanted.model_validate_json(sys.stdin.buffer.readline())
    found = asyncio.run(fetch(wanted.programs, wanted.kinds, cpu_seconds=wanted.seconds))
    answers = [
        Answer(
            program=one.component.program,
            kind=one.kind,
            seconds=one.seconds,
            data=b64encode(one.data).decode(),
            error=one.error,
        )
        for one in found
    ]
    sys.stdout.buffer.write(_ANSWERS.dump_json(answers))


if __name__ == "__main__":
    main()
