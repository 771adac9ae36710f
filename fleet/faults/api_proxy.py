"""A proxy in front of an API server that answers a share of the requests with an error: `python -m` this.

First line of stdin: a `Settings` as JSON; it writes `ready` when it listens and ends with its stdin. It speaks for its
callers as an aggregating front does: whom their client certificates name goes into X-Remote-User and X-Remote-Group,
which the API server takes from the fleet's front proxy certificate alone. Bearer tokens are passed on.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import sys
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from multidict import CIMultiDict
from pydantic import Field

from fleet.model.base import Model
from fleet.observe import priority

BODY_LIMIT = 16 << 20
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host"})
IDENTITY = "x-remote-"
REASONS = {429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable"}


class Settings(Model):
    """What the proxy is given; paths are of its machine."""

    port: int
    upstream: str
    """https://address:port of the API server."""
    serving: tuple[str, str]
    """Certificate and key that callers see: the API server's own."""
    client_ca: str
    """Whose client certificates count."""
    upstream_ca: str
    front_proxy: tuple[str, str]
    """Certificate and key of the front proxy."""
    share: float = Field(ge=0, le=1)
    codes: list[int]
    seed: str


class Front:
    """Answers one request at a time, each in a task of its own."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session
        self._dice = random.Random(settings.seed)  # noqa: S311 - a schedule, no secret

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """An error, or what the API server says."""
        if self._dice.random() < self._settings.share:
            return _error(self._dice.choice(self._settings.codes))
        body = await request.read()
        url = self._settings.upstream + request.raw_path
        async with self._session.request(
            request.method, url, headers=_headers(request), data=body or None, allow_redirects=False
        ) as upstream:
            answer = web.StreamResponse(status=upstream.status, headers=_passed(upstream.headers))
            await answer.prepare(request)
            async for chunk in upstream.content.iter_any():
                await answer.write(chunk)
            await answer.write_eof()
            return answer


def identity(certificate: Any) -> list[tuple[str, str]]:
    """Headers that say whom a client certificate names (`ssl.SSLSocket.getpeercert`); none without one."""
    subject = [pair for part in (certificate or {}).get("subject", ()) for pair in part]
    users = [value for name, value in subject if name == "commonName"]
    groups = [value for name, value in subject if name == "organizationName"]
    return [*(("X-Remote-User", user) for user in users[:1]), *(("X-Remote-Group", group) for group in groups)]


def _headers(request: web.Request) -> CIMultiDict[str]:
    """The caller's own, without what it may not say of itself, and who it is."""
    headers = _passed(request.headers)
    for name in [name for name in headers if name.lower().startswith(IDENTITY)]:
        headers.popall(name, None)
    transport = request.transport
    for name, value in identity(transport.get_extra_info("peercert") if transport is not None else None):
        headers.add(name, value)
    return headers


def _passed(headers: Any) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP)


def _error(code: int) -> web.Response:
    status = {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code,
        "reason": REASONS.get(code, "Unknown"), "message": "a fault of the testbed: api-errors",
    }  # fmt: skip
    headers = {"Retry-After": "1"} if code == 429 else {}  # noqa: PLR2004 - too many requests
    return web.Response(status=code, body=orjson.dumps(status), content_type="application/json", headers=headers)


def _server_context(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=settings.client_ca)
    context.load_cert_chain(*settings.serving)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _client_context(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.upstream_ca)
    context.load_cert_chain(*settings.front_proxy)
    return context


async def serve(settings: Settings, over: asyncio.Event, ready: asyncio.Event) -> None:
    """Answer until `over` is set; `ready` is set when it listens."""
    connector = aiohttp.TCPConnector(ssl=_client_context(settings), limit=0)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as session:
        application = web.Application(client_max_size=BODY_LIMIT)
        application.router.add_route("*", "/{path:.*}", Front(settings, session).answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", settings.port, ssl_context=_server_context(settings)).start()
            ready.set()
            await over.wait()
        finally:
            await runner.cleanup()


async def _main() -> None:
    settings = Settings.model_validate_json(sys.stdin.buffer.readline())
    over, ready = asyncio.Event(), asyncio.Event()

    async def ended() -> None:
        await asyncio.to_thread(sys.stdin.buffer.read)
        over.set()

    async def told() -> None:
        await ready.wait()
        sys.stdout.write("ready\n")
        sys.stdout.flush()

    async with asyncio.TaskGroup() as group:
        group.create_task(ended())
        group.create_task(told())
        await serve(settings, over, ready)


def files(root: Path, plane: str) -> dict[str, Any]:
    """The paths of `Settings` for a control plane of this machine."""
    pki, certificates = root / "pki", root / "clusters" / plane / "pki"
    return {
        "serving": (str(certificates / "kube-apiserver.crt"), str(certificates / "kube-apiserver.key")),
        "client_ca": str(pki / "hub-client-ca.crt"),
        "upstream_ca": str(pki / "ca.crt"),
    }


if __name__ == "__main__":
    priority.give_up()
    asyncio.run(_main())
