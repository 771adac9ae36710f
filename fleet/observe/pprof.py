"""Fetches profiles of the fleet's programs: over HTTP on loopback, with client certificates, or over a unix socket."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import aiohttp

from fleet.errors import UsageError
from fleet.model.experiment_file import ProfileKind
from fleet.model.fleet_file import ClientTls, Component, FleetFile
from fleet.model.model_errors import nearest

PAGES: dict[ProfileKind, str] = {"heap": "heap", "goroutine": "goroutine", "cpu": "profile"}
"""Of `/debug/pprof`. A heap profile says what was live at the last garbage collection; none is forced."""
SLACK_SECONDS = 60.0
"""A busy program of 1 GB answers late; longer than this beyond the profile's own length it is taken for dead."""
PARALLEL = 4
"""Heaps and goroutines fetched at once. CPU profiles are of the same stretch of time, so all begin together."""
MOST_BYTES = 64 << 20
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Fetched:
    """One answer: the profile as it was served, or why there is none."""

    component: Component
    kind: ProfileKind
    ns: int
    """Monotonic and Unix time of the request, nanoseconds."""
    wall: int
    seconds: float
    data: bytes = b""
    error: str = ""
    away: str = ""
    """The other machine that it was fetched on: programs of two machines may have one name."""


def chosen(fleet: FleetFile, names: Collection[str] = ()) -> list[Component]:
    """Programs that serve profiles: all, or those of the named programs, components, clusters or machines.

    UsageError for a name that is not one of these, and when what it names serves none.
    """
    known = {name for program in fleet.components for name in _names(program)}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no program, component, cluster or machine {name!r}{nearest(name, known)}")
    wanted = [program for program in fleet.components if not names or set(_names(program)) & set(names)]
    found = [program for program in wanted if program.pprof]
    if not found:
        what = ", ".join(sorted(names)) or f"the fleet {fleet.name}"
        raise UsageError(
            f"{what}: no program serves profiles; etcd, controller managers, schedulers and node simulators do "
            "after `fleet up -e control_plane_debug=true`, API servers and the manager always"
        )
    return found


async def fetch(
    programs: Sequence[Component], kinds: Sequence[ProfileKind], *, cpu_seconds: float = 10.0
) -> list[Fetched]:
    """One profile of each kind of each program, in that order; a program that does not answer is an error in its
    place. The programs of one kind are asked together, the kinds one after another."""
    answers: dict[tuple[str, str], Fetched] = {}
    for kind in dict.fromkeys(kinds):
        gate = asyncio.Semaphore(len(programs) if kind == "cpu" else PARALLEL)
        able = [program for program in programs if kind != "cpu" or program.cpu_profile]
        found = await asyncio.gather(*(_one(program, kind, cpu_seconds, gate) for program in able))
        answers |= {(one.component.program, one.kind): one for one in found}
    keys = [(program.program, kind) for program in programs for kind in dict.fromkeys(kinds)]
    return [answers[key] for key in keys if key in answers]


async def _one(program: Component, kind: ProfileKind, cpu_seconds: float, gate: asyncio.Semaphore) -> Fetched:
    length = cpu_seconds if kind == "cpu" else 0.0
    async with gate:
        ns, wall = time.monotonic_ns(), time.time_ns()
        data, error = b"", ""
        try:
            async with asyncio.timeout(length + SLACK_SECONDS):
                data = await _get(program, kind, length)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as failure:
            error = str(failure) or type(failure).__name__
        return Fetched(program, kind, ns, wall, (time.monotonic_ns() - ns) / 1e9, data, error)


async def _get(program: Component, kind: ProfileKind, seconds: float) -> bytes:
    base, connector = _way(program)
    query = {"seconds": f"{max(1, round(seconds))}"} if kind == "cpu" else {}
    async with (
        aiohttp.ClientSession(connector=connector, trust_env=False, auto_decompress=False) as session,
        session.get(f"{base}/{PAGES[kind]}", params=query, timeout=aiohttp.ClientTimeout()) as response,
    ):
        if not response.ok:
            text = (await response.content.read(300)).decode(errors="replace").strip()
            raise ValueError(f"{response.status} {response.reason}: {text}")
        data = bytearray()
        async for chunk in response.content.iter_any():
            data += chunk
            if len(data) > MOST_BYTES:
                raise ValueError(f"the profile has more than {MOST_BYTES >> 20} MiB")
    if not data.startswith(_GZIP):
        raise ValueError("the answer is no profile (not compressed); is it an older release of the program?")
    return bytes(data)


def _way(program: Component) -> tuple[str, aiohttp.BaseConnector]:
    """The root of the profiles as a URL, and how to reach it."""
    if program.pprof.startswith("unix:"):
        socket, _, path = program.pprof.removeprefix("unix:").rpartition(":")
        return f"http://localhost{path}", aiohttp.UnixConnector(socket)
    if program.tls is not None and program.pprof.startswith("https://"):
        return program.pprof, aiohttp.TCPConnector(ssl=client_context(program.tls))
    return program.pprof, aiohttp.TCPConnector()


def client_context(tls: ClientTls) -> ssl.SSLContext:
    """Trusts that authority and no other, and shows that certificate, if any. OSError when a file is not there."""
    context = ssl.create_default_context(cafile=tls.ca)
    if tls.cert:
        context.load_cert_chain(tls.cert, tls.key)
    return context


def _names(program: Component) -> tuple[str, ...]:
    names = (program.program, program.component, program.cluster, program.machine)
    return tuple(name for name in names if name)
