"""The proxy in front of an API server, over real TLS: who asks, what passes, and how often it refuses."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from fleet.faults.api_errors import FRONT
from fleet.faults.api_proxy import Settings, identity, serve
from fleet.host.authority import Authority, Subject


def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Pki:
    """Authorities and certificates of a hub."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = Authority.ensure(folder, "ca")
        self.front_ca = Authority.ensure(folder, "front-proxy-ca")
        self.serving = self.ca.server(folder, "kube-apiserver", "kube-apiserver", ("127.0.0.1",))
        self.front = self.front_ca.issue(folder, FRONT, Subject(FRONT))
        self.agent = self.ca.issue(folder, "agent", Subject("agent-1", ("agents", "members")))

    def client(self, *, certificate: bool = True) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        if certificate:
            context.load_cert_chain(str(self.agent.cert), str(self.agent.key))
        return context

    def server(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.folder / "front-proxy-ca.crt"))
        context.load_cert_chain(str(self.serving.cert), str(self.serving.key))
        context.verify_mode = ssl.CERT_REQUIRED
        return context


@asynccontextmanager
async def fronted(pki: Pki, handler: Callable[[web.Request], Any], **settings: Any) -> AsyncIterator[str]:
    """An API server that lets the front proxy alone in, and a proxy before it; yields the proxy's URL."""
    behind, before = port(), port()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", behind, ssl_context=pki.server()).start()
    made = Settings(
        port=before,
        upstream=f"https://127.0.0.1:{behind}",
        serving=(str(pki.serving.cert), str(pki.serving.key)),
        client_ca=str(pki.folder / "ca.crt"),
        upstream_ca=str(pki.folder / "ca.crt"),
        front_proxy=(str(pki.front.cert), str(pki.front.key)),
        **{"share": 0.0, "codes": [429, 500], "seed": "1", **settings},
    )
    over, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(serve(made, over, ready))
    try:
        async with asyncio.timeout(20):
            await ready.wait()
        yield f"https://127.0.0.1:{before}"
    finally:
        over.set()
        await task
        await runner.cleanup()


async def echo(request: web.Request) -> web.Response:
    said = {name: request.headers.getall(name) for name in request.headers if name.lower().startswith("x-remote")}
    token = request.headers.get("Authorization", "")
    return web.json_response(
        {"said": said, "token": token, "path": request.raw_path, "body": (await request.read()).decode()}
    )


async def test_it_says_who_asks_and_nobody_can_say_so_himself(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    async with fronted(pki, echo) as url, aiohttp.ClientSession() as session:
        headers = {"X-Remote-User": "admin", "X-Remote-Group": "system:masters"}
        async with session.post(f"{url}/a%2Fb?c=d", ssl=pki.client(), headers=headers, data=b"body") as answer:
            told = await answer.json()
        assert told["said"] == {"X-Remote-User": ["agent-1"], "X-Remote-Group": ["agents", "members"]}
        assert (told["path"], told["body"]) == ("/a%2Fb?c=d", "body")
        async with session.get(
            url, ssl=pki.client(certificate=False), headers={**headers, "Authorization": "Bearer x"}
        ) as answer:
            told = await answer.json()
        assert (told["said"], told["token"]) == ({}, "Bearer x")


async def test_a_watch_is_passed_on_line_by_line(tmp_path: Path) -> None:
    pki, go_on = Pki(tmp_path), asyncio.Event()

    async def watch(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"one\n")
        await go_on.wait()
        await answer.write(b"two\n")
        return answer

    async with (
        asyncio.timeout(20),
        fronted(pki, watch) as url,
        aiohttp.ClientSession() as session,
        session.get(url, ssl=pki.client()) as answer,
    ):
        assert await answer.content.readline() == b"one\n"
        go_on.set()
        assert await answer.content.readline() == b"two\n"


async def test_a_share_of_the_requests_is_refused_as_the_seed_has_it(tmp_path: Path) -> None:
    pki = Pki(tmp_path)

    async def codes() -> list[int]:
        async with fronted(pki, echo, share=1 / 3) as url, aiohttp.ClientSession() as session:
            found = []
            for _ in range(150):
                async with session.get(url, ssl=pki.client()) as answer:
                    found.append(answer.status)
                    if answer.status != 200:
                        told = await answer.json()
                        assert (told["kind"], told["code"]) == ("Status", answer.status)
                        assert ("Retry-After" in answer.headers) == (answer.status == 429)
            return found

    first = await codes()
    # Binomial(150, 1/3) is outside of 20 to 80 less than once in 10^6.
    assert 20 < sum(code != 200 for code in first) < 80
    assert set(first) == {200, 429, 500}
    assert await codes() == first


@pytest.mark.parametrize("certificate", [None, {}, {"subject": ((("countryName", "DE"),),)}])
def test_nobody_is_named_where_no_certificate_does(certificate: Any) -> None:
    assert identity(certificate) == []
