"""The proxy in front of a control plane that wants a client certificate: paths, credentials, lists, watches."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import WSMsgType, web

from fleet.experiments.ui_load.proxy import Settings, Upstream, serve
from fleet.host.authority import Authority, Subject

BASE = "/0123456789abcdef"
PODS = json.dumps({"kind": "PodList", "items": [{"metadata": {"name": "a"}}]}).encode()


async def _pods(request: web.Request) -> web.StreamResponse:
    """A list, compressed for whoever takes that; as a watch one event by WebSocket, as an API server sends it."""
    assert request.transport is not None
    who = dict(part[0] for part in request.transport.get_extra_info("peercert")["subject"])
    if request.headers.get("Upgrade") == "websocket":
        assert request.query["watch"] == "1"
        assert request.headers["Origin"]  # an API server refuses one without
        socket = web.WebSocketResponse(protocols=("base64.binary.k8s.io",))
        await socket.prepare(request)
        await socket.send_str(json.dumps({"type": "ADDED", "object": {"user": who["commonName"]}}))
        await socket.close()
        return socket
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return web.Response(
            body=gzip.compress(PODS), content_type="application/json", headers={"Content-Encoding": "gzip"}
        )
    return web.Response(body=PODS, content_type="application/json")


@asynccontextmanager
async def proxied(folder: Path, port: int) -> AsyncIterator[Path]:
    """The proxy on a port, before one control plane `wec001`; gives its log."""
    authority = Authority.ensure(folder / "pki")
    serving = authority.issue(folder / "pki", "serving", Subject("server", (), ("127.0.0.1",)))
    admin = authority.issue(folder / "pki", "admin", Subject("admin", ("system:masters",)))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "pki" / "ca.crt")
    context.load_cert_chain(serving.cert, serving.key)
    context.verify_mode = ssl.CERT_REQUIRED
    application = web.Application()
    application.router.add_get("/api/v1/pods", _pods)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    static = folder / "static"
    static.mkdir()
    (static / "index.html").write_text("the page")
    upstream = Upstream(
        server=f"https://127.0.0.1:{runner.addresses[0][1]}",
        ca=str(folder / "pki" / "ca.crt"),
        cert=str(admin.cert),
        key=str(admin.key),
    )
    log = folder / "requests.jsonl"
    settings = Settings(port=port, base=BASE, static=str(static), clusters={"wec001": upstream}, log=str(log))
    over = asyncio.Event()
    task = asyncio.create_task(serve(settings, over))
    try:
        yield log
    finally:
        over.set()
        await task
        await runner.cleanup()


async def _until_it_answers(session: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                async with session.get(url):
                    return
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.01)


async def test_lists_and_watches_pass_with_the_credentials_and_are_noted(tmp_path: Path, unused_tcp_port: int) -> None:
    origin = f"http://127.0.0.1:{unused_tcp_port}"
    async with proxied(tmp_path, unused_tcp_port) as log, aiohttp.ClientSession() as session:
        await _until_it_answers(session, origin)
        pods = f"{origin}{BASE}/clusters/wec001/api/v1/pods"
        async with session.get(pods) as answer:
            assert (await answer.json())["items"][0]["metadata"]["name"] == "a"
        async with session.ws_connect(f"{pods}?watch=1", protocols=("base64.binary.k8s.io",)) as socket:
            assert socket.protocol == "base64.binary.k8s.io"
            assert await socket.receive_json() == {"type": "ADDED", "object": {"user": "admin"}}
            assert (await socket.receive()).type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED)
        async with session.get(f"{origin}{BASE}/c/wec001+wec002/pods") as answer:
            assert await answer.text() == "the page"
        (noted,) = [json.loads(line) for line in log.read_text().splitlines()]
    assert noted["path"] == "/clusters/wec001/api/v1/pods"
    assert (noted["status"], noted["encoding"]) == (200, "gzip")
    assert noted["bytes"] == len(gzip.compress(PODS))
    assert noted["begin_ns"] < noted["headers_ns"] <= noted["end_ns"]


async def test_without_the_secret_and_of_another_cluster_there_is_nothing(tmp_path: Path, unused_tcp_port: int) -> None:
    origin = f"http://127.0.0.1:{unused_tcp_port}"
    async with proxied(tmp_path, unused_tcp_port), aiohttp.ClientSession() as session:
        await _until_it_answers(session, origin)
        for path in ("/clusters/wec001/api/v1/pods", "/c/wec001/pods", f"{BASE}/clusters/wec009/api/v1/pods"):
            async with session.get(origin + path) as answer:
                assert answer.status == 404
