"""A proxy as Headlamp's backend is one, with the one thing that its lists and watches need: `python -m` this, a file.

Below a secret path it serves a folder with a page, and what is below `clusters/<name>/` it passes to that control
plane with the credentials of the settings, WebSockets too. The file is a `Settings` as JSON.
"""

from __future__ import annotations

import asyncio
import signal
import ssl
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from aiohttp import WSMsgType, web
from multidict import CIMultiDict

from fleet.model.base import Model
from fleet.observe import priority

BODY_LIMIT = 16 << 20
CHUNK = 1 << 18
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host", "cookie"})
PAGES = "c"
"""Below it every path is the page: its address is read by its own code."""


class Upstream(Model):
    """One control plane: its URL, and files with who may say so and who asks."""

    server: str
    ca: str
    cert: str
    key: str


class Settings(Model):
    """What the proxy is given."""

    port: int
    base: str
    """`/` and a secret."""
    static: str
    """Folder with index.html and what that loads."""
    clusters: dict[str, Upstream]
    log: str
    """File that gets a line of JSON per answered request."""


class Proxy:
    """Answers requests, each in a task of its own."""

    def __init__(self, settings: Settings, sessions: dict[str, aiohttp.ClientSession]) -> None:
        self._settings = settings
        self._sessions = sessions
        self._log = Path(settings.log)

    def application(self) -> web.Application:
        """Its paths."""
        made = web.Application(client_max_size=BODY_LIMIT)
        base = self._settings.base
        made.router.add_route("*", f"{base}/clusters/{{cluster}}/{{path:.*}}", self.passed)
        made.router.add_get(f"{base}/{PAGES}/{{path:.*}}", self.page)
        made.router.add_static(base, self._settings.static)
        return made

    async def page(self, request: web.Request) -> web.FileResponse:  # noqa: ARG002 - as every handler's
        """The page, whatever its path."""
        return web.FileResponse(Path(self._settings.static) / "index.html")

    async def passed(self, request: web.Request) -> web.StreamResponse:
        """What the control plane says."""
        cluster = request.match_info["cluster"]
        if cluster not in self._sessions:
            raise web.HTTPNotFound(text=f"no cluster {cluster}")
        prefix = f"{self._settings.base}/clusters/{cluster}"
        url = self._settings.clusters[cluster].server + request.raw_path.removeprefix(prefix)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._watched(request, self._sessions[cluster], url)
        return await self._answered(request, self._sessions[cluster], url)

    async def _answered(self, request: web.Request, session: aiohttp.ClientSession, url: str) -> web.StreamResponse:
        begin = time.monotonic_ns()
        body = await request.read()
        async with session.request(
            request.method, url, headers=_headers(request.headers), data=body or None, allow_redirects=False
        ) as upstream:
            headers = time.monotonic_ns()
            answer = web.StreamResponse(status=upstream.status, headers=_headers(upstream.headers))
            await answer.prepare(request)
            size = 0
            async for chunk in upstream.content.iter_chunked(CHUNK):
                size += len(chunk)
                await answer.write(chunk)
            await answer.write_eof()
            encoding = upstream.headers.get("Content-Encoding", "")
            end = time.monotonic_ns()
            path = request.raw_path.removeprefix(self._settings.base)
            self._note(path=path, status=upstream.status, begin_ns=begin, headers_ns=headers, end_ns=end, bytes=size,
                       encoding=encoding)  # fmt: skip
            return answer

    async def _watched(self, request: web.Request, session: aiohttp.ClientSession, url: str) -> web.StreamResponse:
        wanted = [word.strip() for word in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if word.strip()]
        async with session.ws_connect(url, protocols=wanted, origin=url, max_msg_size=0) as upstream:
            answer = web.WebSocketResponse(protocols=wanted, max_msg_size=0, compress=False)
            await answer.prepare(request)
            closed = asyncio.create_task(_until_closed(answer))
            try:
                with suppress(ConnectionError):  # the client went away
                    await _forward(upstream, answer, closed)
            finally:
                closed.cancel()
                await asyncio.gather(closed, return_exceptions=True)
            await answer.close()
            return answer

    def _note(self, **line: Any) -> None:
        with self._log.open("ab") as file:
            file.write(orjson.dumps(line) + b"\n")


async def _forward(
    upstream: aiohttp.ClientWebSocketResponse, answer: web.WebSocketResponse, closed: asyncio.Task[None]
) -> None:
    """Every message of the control plane, until either side ends."""
    while not closed.done():
        received = asyncio.create_task(upstream.receive())
        await asyncio.wait({received, closed}, return_when=asyncio.FIRST_COMPLETED)
        if not received.done():
            received.cancel()
            await asyncio.gather(received, return_exceptions=True)
            return
        message = received.result()
        if message.type == WSMsgType.TEXT:
            await answer.send_str(message.data)
        elif message.type == WSMsgType.BINARY:
            await answer.send_bytes(message.data)
        else:
            return


async def _until_closed(answer: web.WebSocketResponse) -> None:
    """A client of a watch sends nothing but its end."""
    async for _ in answer:
        continue


def _headers(headers: Any) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP)


def _context(upstream: Upstream) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=upstream.ca)
    context.load_cert_chain(upstream.cert, upstream.key)
    return context


async def serve(settings: Settings, over: asyncio.Event) -> None:
    """Answer until `over` is set."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
    sessions = {
        name: aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=_context(upstream), limit=0), timeout=timeout, auto_decompress=False
        )
        for name, upstream in settings.clusters.items()
    }
    try:
        runner = web.AppRunner(Proxy(settings, sessions).application(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", settings.port).start()
            await over.wait()
        finally:
            await runner.cleanup()
    finally:
        await asyncio.gather(*(session.close() for session in sessions.values()))


async def main(file: str) -> None:
    """Until a signal ends it."""
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    await serve(Settings.model_validate_json(await asyncio.to_thread(Path(file).read_bytes)), over)


if __name__ == "__main__":
    priority.give_up()
    asyncio.run(main(sys.argv[1]))
