"""List and watch of one collection: every change delivered once, in order, stamped at receipt; gaps are marked.

A watch that breaks is opened again from the last resourceVersion, which loses nothing. When the server no longer has
that version (410, or empty answers), the collection is listed again, compared with what was delivered before, the
differences are delivered with `gap` set, and the blind stretch is given to `on_gap`. So it is when the server was put
back to an older state meanwhile.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import orjson

from fleet.errors import DeadlineError, KubeError
from fleet.kube.client import KubeClient
from fleet.kube.errors import Gone, Overlong, TooManyRequests, Unauthorized, Unreachable, from_status
from fleet.kube.events import Clock, EventType, Gap, ReflectorStats, WatchEvent
from fleet.kube.lines import LineSplitter, LineTooLongError
from fleet.kube.resources import Resource
from fleet.kube.view import Change, Key, View

__all__ = ["Clock", "EventType", "Gap", "Reflector", "ReflectorStats", "WatchEvent"]

LINE_LIMIT = 16 << 20
"""Bytes. etcd takes objects of 1.5 MiB; ten times that is a broken stream, not an object."""
WATCH_SECONDS = (3600, 7200)
"""A watch is asked to end after a random time in this range, so that many do not reconnect at once. client-go's 5 to 10
minutes would end each of them in the middle of a run, and an event that comes meanwhile is stamped late."""
IDLE_SECONDS = 300.0
"""API servers send a bookmark every 60 to 75 s, one that is short of processors later: with a hundred of them on two
cores, silences of 90 s were common and nothing was wrong. Dead connections end sooner (`fleet.kube.sockets`)."""
SHORT_NS = 1_000_000_000
"""A watch that ends sooner, without a line, delivered nothing: its resourceVersion may be too old
(kubernetes#104171)."""
FRUITLESS_LIMIT = 2
"""So many such watches in a row make the collection be listed again."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between attempts: from the first to the longest, doubled each time, with jitter."""

_CHANGES = (b'{"type":"ADDED"', b'{"type":"MODIFIED"', b'{"type":"DELETED"')
_HOPELESS = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.NOT_ACCEPTABLE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""A list answered so is wrong in itself: asking again cannot help."""


class Reflector:
    """Watches one resource of one cluster. `run()` lasts until it is cancelled or fails for good (KubeError).

    `on_event`, `on_gap` and `on_reconnect` are called in the loop and must not block; `on_reconnect` gets stretches
    without a watch that lost nothing (events inside them arrive late, though). `want` sees the raw bytes of each change
    before they are parsed and refuses those that do not matter; what it looks at must never change in an object's life.
    """

    def __init__(
        self,
        client: KubeClient,
        resource: Resource,
        on_event: Callable[[WatchEvent], None],
        *,
        on_gap: Callable[[Gap], None] | None = None,
        on_reconnect: Callable[[Gap], None] | None = None,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
        want: Callable[[bytes], bool] | None = None,
        page_size: int = 500,
        idle_seconds: float = IDLE_SECONDS,
        line_limit: int = LINE_LIMIT,
        pauses: tuple[float, float] = (FIRST_PAUSE, LONGEST_PAUSE),
        clock: Clock | None = None,
    ) -> None:
        self.resource = resource
        self.stats = ReflectorStats()
        self.synced = asyncio.Event()
        """Set when the first list was delivered whole."""
        self._client = client
        self._on_event = on_event
        self._on_gap = on_gap
        self._on_reconnect = on_reconnect
        self._path = resource.path(namespace=namespace)
        self._selectors = _given(labelSelector=label_selector, fieldSelector=field_selector)
        self._want = want
        self._page_size = page_size
        self._idle_seconds = idle_seconds
        self._line_limit = line_limit
        self._pauses = pauses
        self._clock = clock or Clock()
        self._view = View(resource)
        self._version = ""
        """resourceVersion to watch from; empty: list first. No watch starts with an empty one (kubernetes#123448)."""
        self._alive_ns = 0
        """Last moment at which the watch was known to deliver everything."""
        self._reason = ""
        self._fruitless = 0
        self._attempt = 0
        self._failure: BaseException | None = None
        self._ended = asyncio.Event()

    @property
    def cluster(self) -> str:
        """Name of the cluster."""
        return self._client.cluster

    @property
    def resource_version(self) -> str:
        """The newest resourceVersion that was delivered; empty while the collection must be listed."""
        return self._version

    def versions(self) -> dict[Key, tuple[str, str]]:
        """(uid, resourceVersion) of every object that was delivered and not deleted, by (namespace, name)."""
        return self._view.versions()

    async def wait_synced(self, timeout: float) -> None:  # noqa: ASYNC109
        """Returns when the first list was delivered. Raises what ended `run()`, or DeadlineError after `timeout`
        seconds."""
        waiters = [asyncio.ensure_future(event.wait()) for event in (self.synced, self._ended)]
        try:
            await asyncio.wait(waiters, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiters:
                waiter.cancel()
        if self.synced.is_set():
            return
        if isinstance(self._failure, Exception):
            raise self._failure
        why = self.stats.last_error or "the list is not finished"
        raise DeadlineError(f"{self.cluster}: {self.resource} could not be listed within {timeout:g} s: {why}")

    async def run(self) -> None:
        """Lists and watches until cancelled. KubeError when the credential is refused or the request is wrong."""
        try:
            while True:  # noqa: ASYNC110 - a pause between attempts, not a poll
                await asyncio.sleep(await self._round())
        except BaseException as error:
            self._failure = error
            raise
        finally:
            self._ended.set()

    async def _round(self) -> float:
        """One list (when needed) and one watch; returns the pause before the next, in seconds."""
        try:
            if self._version and self._reason:
                await self._look_back()
            if not self._version:
                await self._list()
            await self._watch()
        except (Unauthorized, Overlong):
            raise
        except Gone as error:
            self._note(error)
            self._forget(f"410 {error.reason}".strip())
            return self._pause() if self._attempt else self._first_attempt()
        except KubeError as error:
            self._note(error)
            if not self._version and error.status in _HOPELESS:
                raise
            if error.status == HTTPStatus.BAD_REQUEST or "Too large resource version" in str(error):
                self._forget(str(error))
            asked = error.retry_after if isinstance(error, TooManyRequests) else 0.0
            if self._fruitless >= FRUITLESS_LIMIT:
                self._forget(str(error))
            return max(asked, self._pause())
        if self._fruitless >= FRUITLESS_LIMIT:
            self._forget("watches ended at once and delivered nothing")
        return self._pause() if self._fruitless else 0.0

    # Listing

    async def _list(self) -> None:
        """Pages through the collection, delivering what differs from what was delivered before."""
        again = self.synced.is_set()
        if again:
            self.stats.relists += 1
        self._view.begin_list()
        token = version = ""
        while True:
            params = {"limit": str(self._page_size), **self._selectors, **_given(**{"continue": token or None})}
            answer = await self._client.request("GET", self._path, params=params)
            mono_ns, wall_ns = self._clock.monotonic_ns(), self._clock.wall_ns()
            page = answer.json()
            metadata = page["metadata"]
            version = version or metadata["resourceVersion"]
            items = page.get("items") or []
            if self._want is not None:
                items = [item for item in items if self._want(orjson.dumps(item))]
            self._tell(self._view.page(items), mono_ns, wall_ns, listed=True, gap=again)
            token = metadata.get("continue") or ""
            if not token:
                break
        self._tell(self._view.end_list(), mono_ns, wall_ns, listed=True, gap=again)
        self._version = version
        self.stats.lists += 1
        if again:
            self.stats.gaps += 1
            self._blind(self._on_gap, mono_ns)
        self._alive_ns = mono_ns
        self._reason = ""
        self.synced.set()

    def _forget(self, reason: str) -> None:
        """The last resourceVersion is of no use any more: the next round lists."""
        self._version = ""
        self._reason = reason
        self._fruitless = 0

    async def _look_back(self) -> None:
        """After an interruption: a server that was put back to an older state (a restored backup) would say nothing
        until its versions have passed the one that is requested, and no error either. Then list again."""
        params = {"limit": "1", **self._selectors}
        answer = await self._client.request("GET", self._path, params=params)
        now = str(answer.json()["metadata"]["resourceVersion"])
        if now.isdecimal() and self._version.isdecimal() and int(now) < int(self._version):
            self._forget(f"the server went back from version {self._version} to {now}")

    # Watching

    async def _watch(self) -> None:
        """One watch from the last resourceVersion to its end."""
        params = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(random.randint(*WATCH_SECONDS)),  # noqa: S311 - spread, not a secret
            **self._selectors,
        }
        splitter = LineSplitter(self._line_limit)
        monotonic_ns, wall_clock_ns = self._clock.monotonic_ns, self._clock.wall_ns
        async with self._client.stream(self._path, params, idle_seconds=self._idle_seconds) as stream:
            opened_ns = monotonic_ns()
            lines = 0
            try:
                while chunk := await stream.read():
                    mono_ns, wall_ns = monotonic_ns(), wall_clock_ns()
                    self.stats.bytes += len(chunk)
                    for line in splitter.feed(chunk):
                        self._line(line, mono_ns, wall_ns)
                        if not lines:
                            self._proven(opened_ns)
                        lines += 1
                    self._alive_ns = mono_ns if lines else self._alive_ns
            except LineTooLongError:
                limit = f"{self._line_limit} bytes"
                raise Overlong(f"WATCH {self._path}: a line is longer than {limit}", cluster=self.cluster) from None
            except Unreachable as error:
                if not isinstance(error.__cause__, TimeoutError):  # silent for long: nobody knows since when
                    self._closed(opened_ns, monotonic_ns(), lines)
                raise
        self._closed(opened_ns, monotonic_ns(), lines)

    def _proven(self, opened_ns: int) -> None:
        """This watch works: it delivered a line, or stayed open. What was blind before it, was blind until it
        opened."""
        self._attempt = self._fruitless = 0
        if self._reason:
            self.stats.reconnects += 1
            self._blind(self._on_reconnect, opened_ns)
            self._reason = ""

    def _closed(self, opened_ns: int, closed_ns: int, lines: int) -> None:
        """The connection ended; whether that was a good watch decides from when on we are blind."""
        if lines or closed_ns - opened_ns >= SHORT_NS:
            self._proven(opened_ns)
            self._alive_ns = closed_ns
        else:
            self._fruitless += 1
        self._reason = self._reason or "the watch ended"

    def _line(self, line: bytes, mono_ns: int, wall_ns: int) -> None:
        """One line of a watch, which is one event."""
        if self._want is not None and line.startswith(_CHANGES) and not self._want(line):
            self.stats.filtered += 1
            return
        if not line:
            return
        try:
            event = orjson.loads(line)
            said, obj = event["type"], event["object"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            self._fruitless += 1
            raise KubeError(f"WATCH {self._path}: a line is no watch event: {error}", cluster=self.cluster) from error
        if said == "ERROR":
            self._fruitless += 1
            raise from_status(
                self.cluster, f"WATCH {self._path}", int(obj.get("code") or HTTPStatus.INTERNAL_SERVER_ERROR), obj
            )
        version = obj["metadata"]["resourceVersion"]
        if said == "BOOKMARK":
            self.stats.bookmarks += 1
            self.stats.bookmark = version
        else:
            self._tell(self._view.observe(said, obj), mono_ns, wall_ns, listed=False, gap=False)
        self._version = version

    def _tell(self, changes: Iterable[Change], mono_ns: int, wall_ns: int, *, listed: bool, gap: bool) -> None:
        """Gives changes to `on_event`. From a later list, all are inferred: the gap hid when they happened."""
        told = 0
        for kind, obj, inferred in changes:
            told += 1
            flag = gap if listed else inferred
            self._on_event(WatchEvent(self.cluster, self.resource, kind, obj, mono_ns, wall_ns, listed, flag))
        self.stats.events += told
        if not told and not listed:
            self.stats.duplicates += 1

    # Trouble

    def _blind(self, told: Callable[[Gap], None] | None, end_ns: int) -> None:
        self.stats.blind_ns += max(0, end_ns - self._alive_ns)
        if told is not None:
            told(Gap(self.cluster, self.resource, self._alive_ns, end_ns, self._reason))

    def _note(self, error: KubeError) -> None:
        self.stats.errors += 1
        self.stats.last_error = str(error)
        self._reason = self._reason or str(error)

    def _first_attempt(self) -> float:
        self._attempt = 1
        return 0.0

    def _pause(self) -> float:
        """Seconds before the next attempt."""
        first, last = self._pauses
        longest = min(last, first * 2.0 ** min(self._attempt, 30))
        self._attempt += 1
        return random.uniform(longest / 2, longest)  # noqa: S311 - jitter, not a secret


def _given(**values: Any) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value is not None}
