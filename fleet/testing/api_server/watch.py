"""One watch of the fake API server: history from a version on, bookmarks, and the faults requested."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from aiohttp import web

from fleet.testing.api_server.failpoints import Failpoints
from fleet.testing.api_server.paths import Target
from fleet.testing.api_server.store import Object, Refusal, Store, event_of, kind_of

Match = Callable[[Object], bool]


class WatchAnswer:
    """Serves one watch request until its time is up, the server ends it, or a fault does."""

    def __init__(self, store: Store, fail: Failpoints, target: Target, match: Match, bookmark_seconds: float) -> None:
        self.ended = asyncio.Event()
        """Set it and the watch ends as if its time were up."""
        self._store = store
        self._fail = fail
        self._target = target
        self._match = match
        self._bookmark_seconds = bookmark_seconds
        self._poked = asyncio.Event()
        self._request: web.Request | None = None

    def bookmark(self) -> None:
        """Sends a bookmark soon, when the client requested them."""
        self._poked.set()

    def cut(self) -> None:
        """Aborts the connection, as a dying server does."""
        if self._request is not None and self._request.transport is not None:
            self._request.transport.abort()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The whole answer; Refusal before it starts."""
        self._request = request
        plural = self._target.resource.plural
        if self._fail.take("gone_on_watch", plural):
            raise Refusal(410, "Expired", "too old resource version: failpoint")
        position = self._position(request.query.get("resourceVersion", ""))
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            if not await self._fault(response, plural):
                bookmarks = request.query.get("allowWatchBookmarks") in ("true", "1")
                seconds = float(request.query.get("timeoutSeconds") or 1800)
                await self._tell(response, position, seconds, bookmarks=bookmarks)
            await response.write_eof()
        return response

    def _position(self, version: str) -> int:
        if version in ("", "0"):
            return 0
        if not version.isdigit():
            raise Refusal(400, "BadRequest", f"Invalid value: {version!r}: resourceVersion")
        return self._store.position(int(version))

    async def _fault(self, response: web.StreamResponse, plural: str) -> bool:
        """Meets the faults that replace the whole watch; whether there was one."""
        if self._fail.take("empty_watch", plural):
            return True
        if self._fail.take("gone_event", plural):
            await response.write(line("ERROR", status(410, "Expired", "too old resource version: failpoint")))
            return True
        if self._fail.take("error_event", plural):
            await response.write(line("ERROR", status(500, "InternalError", "failpoint")))
            return True
        if self._fail.take("garbage_line", plural):
            await response.write(b"{this is no event}\n")
            return True
        if self._fail.take("stall_watch", plural):
            await self.ended.wait()
            return True
        return False

    async def _tell(self, response: web.StreamResponse, position: int, seconds: float, *, bookmarks: bool) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        bookmark_at = loop.time() + self._bookmark_seconds
        told, cut = 0, self._fail.take_cut(self._target.resource.plural)
        while not self.ended.is_set() and loop.time() < end:
            grown = self._store.grown
            lines = self._lines(position)
            position = len(self._store.history)
            if cut is not None and told + len(lines) >= cut:
                await self._cut_after(response, lines[: cut - told], lines[cut - told :])
                return
            told += len(lines)
            if bookmarks and (self._poked.is_set() or loop.time() >= bookmark_at):
                self._poked.clear()
                bookmark_at = loop.time() + self._bookmark_seconds
                lines.append(self._bookmark_line())
            if lines:
                await response.write(b"".join(lines))
            await self._pause(grown, min(end, bookmark_at) - loop.time())

    def _lines(self, position: int) -> list[bytes]:
        kind, namespace = kind_of(self._target.resource), self._target.namespace

        def match(obj: Object) -> bool:
            return (namespace is None or obj["metadata"].get("namespace") == namespace) and self._match(obj)

        events = (event_of(entry, match) for entry in self._store.since(position) if entry.kind == kind)
        return [line(event[0], event[1]) for event in events if event is not None]

    def _bookmark_line(self) -> bytes:
        resource = self._target.resource
        metadata = {"resourceVersion": str(self._store.version), "creationTimestamp": None}
        return line("BOOKMARK", {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata})

    async def _pause(self, grown: asyncio.Event, seconds: float) -> None:
        """Until history grows, the watch is ended or a bookmark is wanted, at most `seconds`."""
        waiters = [asyncio.ensure_future(event.wait()) for event in (grown, self.ended, self._poked)]
        try:
            await asyncio.wait(waiters, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiters:
                waiter.cancel()

    async def _cut_after(self, response: web.StreamResponse, before: list[bytes], after: list[bytes]) -> None:
        half = after[0][: len(after[0]) // 2] if after and self._fail.cut_mid_line else b""
        await response.write(b"".join(before) + half)
        await asyncio.sleep(0)  # lets the bytes reach the socket
        self.cut()


def line(kind: str, obj: Mapping[str, Any]) -> bytes:
    """One watch event as the API server writes it."""
    return orjson.dumps({"type": kind, "object": obj}) + b"\n"


def status(code: int, reason: str, message: str) -> dict[str, Any]:
    """A Status object."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
