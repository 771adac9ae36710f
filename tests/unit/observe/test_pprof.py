"""Profiles are fetched over TLS with a client certificate, in the clear on loopback, and over a unix socket."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from fleet.errors import UsageError
from fleet.host.authority import Authority, Subject
from fleet.model.fleet_file import ClientTls, Component, FleetFile, Machine
from fleet.observe.pprof import chosen, fetch
from fleet.observe.profiler import taken
from tests.unit.analysis.profile_maker import heap
from tests.unit.model.fleets import kubestellar

HEAP = heap(leak=1000)
Pages = Callable[[web.Request], web.Response]


def pages(request: web.Request) -> web.Response:
    if request.path == "/debug/pprof/heap":
        return web.Response(body=HEAP)
    if request.path == "/debug/pprof/profile":
        return web.Response(body=HEAP + request.query["seconds"].encode())
    if request.path == "/debug/pprof/goroutine":
        return web.Response(text="goroutine profile: total 5")
    return web.Response(status=404)


@asynccontextmanager
async def served(*, socket: Path | None = None, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server of those pages; its address, or the socket."""
    app = web.Application()

    async def answer(request: web.Request) -> web.Response:
        return pages(request)

    app.router.add_get("/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site: web.BaseSite = (
        web.UnixSite(runner, str(socket)) if socket else web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    )
    await site.start()
    try:
        yield str(socket) if socket else f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def program(name: str, pprof: str, tls: ClientTls | None = None) -> Component:
    component, _, cluster = name.partition(".")
    return Component(program=name, component=component, machine="m", cluster=cluster, pprof=pprof, tls=tls)


def fleet_of(*programs: Component) -> FleetFile:
    return FleetFile(
        name="f",
        created="2026-01-01T00:00:00Z",
        toolchain_digest="x",
        manager=kubestellar(),
        machines=[Machine(name="m", state_dir="/s"), Machine(name="far", connection="ssh", state_dir="/s")],
        clusters=[],
        components=list(programs),
    )


async def test_kinds_and_programs_come_in_order() -> None:
    async with served() as address:
        programs = [
            program("transport.wds1", f"http://{address}/debug/pprof"),
            program("kwok.wec001", f"http://{address}/debug/pprof").model_copy(update={"cpu_profile": False}),
        ]
        found = await fetch(programs, ["cpu", "heap"], cpu_seconds=2)
    assert [(one.component.program, one.kind, one.error) for one in found] == [
        ("transport.wds1", "cpu", ""),
        ("transport.wds1", "heap", ""),
        ("kwok.wec001", "heap", ""),
    ]
    assert found[0].data == HEAP + b"2"
    assert found[1].data == HEAP


async def test_a_unix_socket(tmp_path: Path) -> None:
    socket = tmp_path / "d.sock"
    async with served(socket=socket):
        (found,) = await fetch([program("dense.0", f"unix:{socket}:/debug/pprof")], ["heap"])
    assert found.data == HEAP


async def test_tls_wants_the_right_authority_and_a_certificate(tmp_path: Path) -> None:
    ca = Authority.ensure(tmp_path / "pki", "ca", common_name="ca")
    other = Authority.ensure(tmp_path / "other", "ca", common_name="other")
    own = ca.issue(tmp_path / "own", "server", Subject("s", (), ("127.0.0.1",), client=False))
    admin = ca.issue(tmp_path / "own", "admin", Subject("admin"))
    stranger = other.issue(tmp_path / "own", "stranger", Subject("stranger"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(ca.cert_file))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(own.cert, own.key)
    ways = [
        ClientTls(ca=str(ca.cert_file), cert=str(admin.cert), key=str(admin.key)),
        ClientTls(ca=str(other.cert_file), cert=str(admin.cert), key=str(admin.key)),
        ClientTls(ca=str(ca.cert_file), cert=str(stranger.cert), key=str(stranger.key)),
        ClientTls(ca=str(tmp_path / "none"), cert=str(admin.cert), key=str(admin.key)),
    ]
    async with served(context=context) as address:
        programs = [program(f"p.{n}", f"https://{address}/debug/pprof", way) for n, way in enumerate(ways)]
        found = await fetch(programs, ["heap"])
    assert [bool(one.data) for one in found] == [True, False, False, False]
    assert all(one.error for one in found[1:])


async def test_what_is_no_profile_is_an_error_in_its_place(tmp_path: Path) -> None:
    async with served() as address:
        good = program("transport.wds1", f"http://{address}/debug/pprof")
        lost = program("old.wds1", f"http://{address}/elsewhere")
        found = await fetch([good, lost], ["goroutine", "heap"])
    assert "is no profile" in found[0].error
    assert found[3].error.startswith("404")
    lines = [taken(tmp_path, one) for one in found]
    assert [bool(line.file) for line in lines] == [False, True, False, False]
    assert (tmp_path / lines[1].file).read_bytes() == HEAP
    assert lines[1].size == len(HEAP)


def test_programs_are_chosen_by_program_component_cluster_and_machine() -> None:
    fleet = fleet_of(
        program("etcd.its1", "https://a"), program("etcd.wds1", "https://b"), program("status-agent", ""),
        Component(program="etcd.far", component="etcd", machine="far", pprof="https://c"),
    )  # fmt: skip
    assert [one.program for one in chosen(fleet)] == ["etcd.its1", "etcd.wds1", "etcd.far"]
    assert [one.program for one in chosen(fleet, ["wds1"])] == ["etcd.wds1"]
    assert [one.program for one in chosen(fleet, ["far"])] == ["etcd.far"]
    assert [one.program for one in chosen(fleet, ["etcd", "status-agent"])] == ["etcd.its1", "etcd.wds1", "etcd.far"]
    with pytest.raises(UsageError, match="serves profiles"):
        chosen(fleet, ["status-agent"])
    with pytest.raises(UsageError, match=r"there is no program, component, cluster or machine 'etdc'"):
        chosen(fleet, ["etdc"])
