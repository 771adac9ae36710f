"""HTTP to one API server: one session, credentials, timeouts, retries with Retry-After, stamps of every request."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self, TypedDict, Unpack

import aiohttp
import orjson
from yarl import URL

from fleet.errors import KubeError
from fleet.kube import sockets
from fleet.kube.credential import Credential, Reload
from fleet.kube.endpoint import Endpoint
from fleet.kube.errors import TooManyRequests, Unreachable, from_status, retry_after_seconds
from fleet.kube.limiter import TokenBucket

Params = Mapping[str, str]
JSON = "application/json"
CHANNELS = "v4.channel.k8s.io"
"""Websocket protocol of exec and attach: the first byte of a message is its channel."""

CONNECT_SECONDS = 10.0
BUFFER_BYTES = 1 << 18
"""Read buffer of a connection: large chunks mean fewer wake-ups per event of a busy watch."""
_FIRST_RETRY_SECONDS = 0.1
_LONGEST_RETRY_SECONDS = 5.0
_RETRIED = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


class RequestOptions(TypedDict, total=False):
    """How one request is made; the same for a client and its transport."""

    params: Params | None
    body: Any
    """JSON, or bytes as they are."""
    content_type: str
    """Of the body; JSON unless given."""
    retry: bool
    """Whether to try again within the client's `retry_seconds`; not by default."""
    check: bool
    """Whether an error answer raises; it does by default."""
    timeout: float | None
    """Seconds of one attempt; the client's unless given."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Stamps are time.monotonic_ns(): right before the request left, right after the body was read."""

    status: int
    body: bytes = field(repr=False)
    sent_ns: int
    received_ns: int
    retry_after: float = 0.0
    """Seconds; 0 when the server does not say."""

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty when there is none."""
        return orjson.loads(self.body) if self.body else {}


class Stream:
    """An open answer whose chunks arrive as the server sends them.

    Use as `with`: inside it a read that gets no byte for `idle_seconds` fails. aiohttp's own limit (`sock_read`) makes
    a timer for each chunk, a twentieth of the CPU of a driver with hundreds of watches; here one timer looks when the
    read under way began.
    """

    def __init__(self, response: aiohttp.ClientResponse, cluster: str, what: str, idle_seconds: float) -> None:
        self._response = response
        self._cluster = cluster
        self._what = what
        self._idle_seconds = idle_seconds
        self._loop = asyncio.get_running_loop()
        self._reading_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        """The time of each read counts from now on."""
        self._look_in(self._idle_seconds)
        return self

    def __exit__(self, *_: object) -> None:
        """The answer is closed by who opened it."""
        if self._timer is not None:
            self._timer.cancel()

    async def read(self) -> bytes:
        """The next bytes, as many as are there; empty at the end. Unreachable when the connection is lost, or silent
        for too long."""
        self._reading_since = self._loop.time()
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _unreachable(self._cluster, self._what, error) from error
        finally:
            self._reading_since = None

    def _look_in(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """End the read under way if it is too old, else look again when it could be."""
        silent = 0.0 if self._reading_since is None else self._loop.time() - self._reading_since
        if silent >= self._idle_seconds:
            self._response.content.set_exception(TimeoutError(f"no byte for {self._idle_seconds:g} s"))
        else:
            self._look_in(self._idle_seconds - silent)


class Transport:
    """The connections to one API server. The session is made at the first request, inside the running loop."""

    def __init__(
        self,
        endpoint: Endpoint,
        limiter: TokenBucket,
        *,
        timeout: float,
        retry_seconds: float,
        reload: Reload | None = None,
    ) -> None:
        self.credential = Credential(endpoint, reload)
        self.retries = 0
        """Requests sent again, over the life of this client."""
        self._limiter = limiter
        self._timeout = timeout
        self._retry_seconds = retry_seconds
        self._session: aiohttp.ClientSession | None = None

    @property
    def endpoint(self) -> Endpoint:
        """Where it is, with the newest credential."""
        return self.credential.endpoint

    async def close(self) -> None:
        """Closes all connections."""
        await self.credential.close()
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def request(self, method: str, path: str, **options: Unpack[RequestOptions]) -> Answer:
        """One request; see RequestOptions.

        A 401 makes the credential be read again and the request be sent once more, whatever `retry` says.
        """
        body, retry, check = options.get("body"), options.get("retry", False), options.get("check", True)
        seconds = options.get("timeout") or self._timeout
        content_type = options.get("content_type", JSON)
        data = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
        deadline = time.monotonic() + self._retry_seconds
        pause = _FIRST_RETRY_SECONDS
        reloaded = False
        what = f"{method} {path}"
        while True:
            answer: Answer | None = None
            error: KubeError
            try:
                used = await self.credential.fresh()
                answer = await self._once(used, method, path, options.get("params"), data, content_type, seconds)
                if answer.status < HTTPStatus.MULTIPLE_CHOICES:
                    return answer
                if answer.status == HTTPStatus.UNAUTHORIZED and not reloaded and await self.credential.refused(used):
                    reloaded = True
                    continue
            except Unreachable as lost:
                error = lost
            else:
                error = from_status(self.endpoint.cluster, what, answer.status, answer.body, answer.retry_after)
            asked = 0.0 if answer is None else answer.retry_after
            wait = max(asked, random.uniform(pause / 2, pause))  # noqa: S311 - jitter, not a secret
            again = retry and (answer is None or answer.status in _RETRIED)
            if not again or time.monotonic() + wait > deadline:
                if answer is not None and not check:
                    return answer
                raise error
            self.retries += 1
            await asyncio.sleep(wait)
            pause = min(pause * 2, _LONGEST_RETRY_SECONDS)

    async def probe(self, path: str, timeout: float) -> bool:  # noqa: ASYNC109 - of the one attempt
        """Whether one GET of `path` is answered with success within `timeout` seconds."""
        try:
            answer = await self._once(await self.credential.fresh(), "GET", path, None, None, "", timeout)
        except Unreachable:
            return False
        return answer.status < HTTPStatus.MULTIPLE_CHOICES

    @asynccontextmanager
    async def stream(self, path: str, params: Params, *, idle_seconds: float) -> AsyncIterator[Stream]:
        """An open GET. KubeError when refused, Unreachable when there is no answer or no byte for `idle_seconds`."""
        what = f"WATCH {path}"
        timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS)
        used = await self.credential.fresh()
        response = await self._open(used, path, params, timeout, what)
        if response.status == HTTPStatus.UNAUTHORIZED and await self._other(used, response):
            response = await self._open(self.endpoint, path, params, timeout, what)
        try:
            if response.status >= HTTPStatus.MULTIPLE_CHOICES:
                body = await self._error_body(response, what)
                after = retry_after_seconds(response.headers.get("Retry-After"))
                raise from_status(self.endpoint.cluster, what, response.status, body, after)
            with Stream(response, self.endpoint.cluster, what, idle_seconds) as stream:
                yield stream
        finally:
            response.close()

    async def channels(self, path: str, params: Sequence[tuple[str, str]], seconds: float) -> Mapping[int, bytes]:
        """Everything that comes by a websocket of Kubernetes' remote commands until the server closes it, by channel.

        KubeError when it is refused, Unreachable when it cannot be opened or does not end within `seconds`.
        """
        what = f"EXEC {path}"
        used = await self.credential.fresh()
        found: dict[int, bytes] = {}
        await self._limiter.wait()
        try:
            async with (
                asyncio.timeout(seconds),
                self._connections().ws_connect(
                    self._url(path, None).extend_query(params),
                    protocols=(CHANNELS,),
                    headers=_headers(used, ""),
                    **_connection(used),
                ) as socket,
            ):
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.BINARY and message.data:
                        channel = message.data[0]
                        found[channel] = found.get(channel, b"") + message.data[1:]
        except aiohttp.WSServerHandshakeError as refused:
            raise from_status(self.endpoint.cluster, what, refused.status, b"", 0.0) from refused
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _unreachable(self.endpoint.cluster, what, error) from error
        return found

    async def _other(self, used: Endpoint, refused: aiohttp.ClientResponse) -> bool:
        """Whether there is another credential to try after this answer, which is closed then."""
        try:
            again = await self.credential.refused(used)
        except BaseException:
            refused.close()
            raise
        if again:
            refused.close()
        return again

    async def _open(
        self, endpoint: Endpoint, path: str, params: Params, limits: aiohttp.ClientTimeout, what: str
    ) -> aiohttp.ClientResponse:
        await self._limiter.wait()
        try:
            async with asyncio.timeout(self._timeout):  # a live server sends the head of a watch at once
                return await self._connections().request(
                    "GET",
                    self._url(path, params),
                    headers=_headers(endpoint, ""),
                    timeout=limits,
                    allow_redirects=False,
                    **_connection(endpoint),
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _unreachable(self.endpoint.cluster, what, error) from error

    async def _error_body(self, response: aiohttp.ClientResponse, what: str) -> bytes:
        try:
            # Not asyncio.wait_for: before Python 3.12 it can lose a cancellation that arrives with the result.
            async with asyncio.timeout(self._timeout):
                return await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _unreachable(self.endpoint.cluster, what, error) from error

    async def _once(  # noqa: PLR0917 - private, one caller each
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        params: Params | None,
        data: bytes | None,
        content_type: str,
        seconds: float,
    ) -> Answer:
        await self._limiter.wait()
        sent_ns = time.monotonic_ns()
        try:
            async with self._connections().request(
                method,
                self._url(path, params),
                data=data,
                headers=_headers(endpoint, content_type if data is not None else ""),
                timeout=aiohttp.ClientTimeout(total=seconds, connect=CONNECT_SECONDS),
                allow_redirects=False,
                **_connection(endpoint),
            ) as response:
                body = await response.read()
                received_ns = time.monotonic_ns()
                after = retry_after_seconds(response.headers.get("Retry-After"))
                return Answer(response.status, body, sent_ns, received_ns, after)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _unreachable(self.endpoint.cluster, f"{method} {path}", error) from error

    def _connections(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=60, socket_factory=sockets.watched),
                read_bufsize=BUFFER_BYTES,
                # A kubelet has some paths in text only. Compression costs the measured API server CPU and delays small
                # chunks; the wire is loopback or a LAN.
                headers={"Accept": "application/json, */*", "Accept-Encoding": "identity", "User-Agent": "fleet"},
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
            )
        return self._session

    def _url(self, path: str, params: Params | None) -> URL:
        url = URL(self.endpoint.server + path, encoded=True)
        return url.update_query(params) if params else url


def _headers(endpoint: Endpoint, content_type: str) -> dict[str, str]:
    headers = {"Content-Type": content_type} if content_type else {}
    if endpoint.token:
        headers["Authorization"] = f"Bearer {endpoint.token}"
    return headers


def _connection(endpoint: Endpoint) -> dict[str, Any]:
    """Given with each request, so that a credential that was read again takes effect on new connections."""
    if endpoint.ssl_context is None:
        return {}
    options: dict[str, Any] = {"ssl": endpoint.ssl_context, "server_hostname": endpoint.server_name}
    return options | {"proxy": endpoint.proxy} if endpoint.proxy else options


def _unreachable(cluster: str, what: str, error: BaseException) -> Unreachable:
    text = str(error) or type(error).__name__
    return Unreachable(f"{what}: no answer: {text}", cluster=cluster, reason=type(error).__name__)


def retry_after_of(error: KubeError) -> float:
    """Seconds that the server asked us to stay away; 0 when it did not."""
    return error.retry_after if isinstance(error, TooManyRequests) else 0.0
