"""Serves the page of a run on loopback, to those who know the token in its address."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from aiohttp import web

TOKEN_BYTES = 24
KEEP_ALIVE_SECONDS = 15.0
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}


class Pages:
    """What is served: the frame, then the body as often as it changes, then the report."""

    def __init__(self, frame: Callable[[], str]) -> None:
        """`frame` makes the page that everything else is put into."""
        self._frame = frame
        self._body = ""
        self._report: Path | None = None
        self._changed = asyncio.Condition()
        self.readers = 0
        """Browsers that wait for the next body."""
        self._fetched = 0
        """How often the report was, in place of the page."""

    async def show(self, body: str) -> None:
        """The body from now on."""
        async with self._changed:
            self._body = body
            self._changed.notify_all()

    async def freeze(self, report: Path) -> None:
        """The run has ended: its report is the page from now on, and every reader is instructed to fetch it."""
        async with self._changed:
            self._report = report
            self._changed.notify_all()

    async def fetched(self, count: int) -> None:
        """Until the report was fetched so often."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._fetched >= count)

    async def page(self, _: web.Request) -> web.StreamResponse:
        """The frame, or the report of a run that has ended."""
        if self._report is not None:
            async with self._changed:
                self._fetched += 1
                self._changed.notify_all()
            return web.FileResponse(self._report, headers={**HEADERS, "Content-Type": "text/html; charset=utf-8"})
        return web.Response(text=self._frame(), content_type="text/html", headers=HEADERS)

    async def updates(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: `body` with each new body, `end` when the report is there."""
        stream = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await stream.prepare(request)
        self.readers += 1
        try:
            async for message in self._messages():
                await stream.write(message)
        except ConnectionResetError:
            pass  # the reader has gone
        finally:
            self.readers -= 1
        return stream

    def _news(self, sent: str) -> bool:
        return self._body != sent or self._report is not None

    async def _messages(self) -> AsyncIterator[bytes]:
        sent = ""
        while self._report is None:
            if self._body != sent:
                sent = self._body
                yield b"event: body\ndata: " + json.dumps(sent).encode() + b"\n\n"
                continue
            yield b": waits\n\n"  # by which a reader that has gone is noticed
            async with self._changed:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                        await self._changed.wait_for(functools.partial(self._news, sent))
        yield b"event: end\ndata: {}\n\n"


@contextlib.asynccontextmanager
async def served(pages: Pages) -> AsyncIterator[str]:
    """Serve them while the block runs; its address, which holds the token.

    Only loopback listens. Another address than the one given is not found; a name in place of 127.0.0.1 (a page from
    elsewhere whose name was pointed here) is refused.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    hosts: set[str] = set()

    @web.middleware
    async def guard(request: web.Request, handler: Callable[[web.Request], object]) -> web.StreamResponse:
        if request.host not in hosts:
            raise web.HTTPForbidden
        if not secrets.compare_digest(request.path.partition("/")[2].partition("/")[0], token):
            raise web.HTTPNotFound
        return await handler(request)  # type: ignore[misc,no-any-return]

    application = web.Application(middlewares=[guard])
    application.add_routes([web.get("/{token}/", pages.page), web.get("/{token}/updates", pages.updates)])
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        (_, port) = runner.addresses[0][:2]
        hosts |= {f"127.0.0.1:{port}", f"localhost:{port}"}
        yield f"http://127.0.0.1:{port}/{token}/"
    finally:
        await runner.cleanup()
