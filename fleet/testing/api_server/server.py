"""A fake API server: real HTTP on loopback, objects in memory, watches with bookmarks, faults on demand.

    async with FakeApiServer() as server, server.client() as client:
        await client.create(CONFIGMAPS, {"metadata": {"name": "a", "namespace": "default"}})
        server.fail.gone_on_watch = 1

It ships with the package, so that tests of every part meet the same server. It checks no schema and runs no controller.
"""

from __future__ import annotations

import asyncio
import base64
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import web

from fleet.kube.client import KubeClient
from fleet.kube.endpoint import Endpoint
from fleet.kube.resources import ALL, Resource
from fleet.testing.api_server.crud import Crud, match_of
from fleet.testing.api_server.failpoints import Failpoints
from fleet.testing.api_server.paths import Target, discovery_of, target_of
from fleet.testing.api_server.store import Object, Refusal, Store
from fleet.testing.api_server.tls import FakeAuthority
from fleet.testing.api_server.watch import WatchAnswer, status

__all__ = ["Failpoints", "FakeApiServer", "Seen"]

_TEXTS = {
    "/readyz": "ok",
    "/livez": "ok",
    "/healthz": "ok",
    "/version": '{"major":"1","minor":"34","gitVersion":"v1.34.4-fake"}',
}

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_REASONS = {
    401: "Unauthorized",
    403: "Forbidden",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
}


@dataclass(slots=True)
class Seen:
    """One request that the server got, in order of arrival, and what it answered (0: nothing yet)."""

    method: str
    path: str
    query: Mapping[str, str]
    code: int = 0


class FakeApiServer:
    """One fake cluster. With `tls`, a CA of its own and client certificates are demanded; without, plain HTTP.

    Clients need no certificate when `certificates` is off; `host` is the name that the server's own is for.
    `token`, when set, must come with every request. `collect_garbage` deletes dependents with their last owner.
    """

    def __init__(
        self,
        cluster: str = "fake",
        *,
        tls: bool = False,
        certificates: bool = True,
        host: str = "localhost",
        token: str = "",
        collect_garbage: bool = False,
        bookmark_seconds: float = 60.0,
        resources: Iterable[Resource] = ALL,
    ) -> None:
        self.cluster = cluster
        self.store = Store(resources, collect_garbage=collect_garbage)
        self.fail = Failpoints()
        self.token = token
        self.requests: list[Seen] = []
        self.authority = FakeAuthority() if tls else None
        self._certificates = certificates
        self._hosts = ("127.0.0.1", "localhost") if host == "localhost" else (host,)
        self.metrics_text = "# TYPE apiserver_request_total counter\n"
        """What `/metrics` answers."""
        self.denied: set[tuple[str, str]] = set()
        """Verb and resource, `list deployments.apps`, that reviews of a user's own access deny."""
        self._bookmark_seconds = bookmark_seconds
        self._crud = Crud(self.store, self.fail)
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._listener: socket.socket | None = None
        self._watches: set[WatchAnswer] = set()
        self._watches_changed = asyncio.Event()

    # Life

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listens on loopback; on the same port again after a stop."""
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        context = None
        if self.authority is not None:
            pair = self.authority.issue("fake-apiserver", hosts=self._hosts)
            context = self.authority.server_context(pair, demand=self._certificates)
        self._listener = socket.create_server(("127.0.0.1", self._port))
        await web.SockSite(self._runner, self._listener, ssl_context=context).start()
        self._port = self._listener.getsockname()[1]

    async def stop(self) -> None:
        """Cuts every connection and stops listening, as a killed server does; objects stay."""
        self.cut_watches()
        if self._runner is not None:
            runner, self._runner = self._runner, None
            # asyncio leaks a connection whose accept is under way when its server is closed: the client would then wait
            # for an answer that nobody can give. So accept no more, let those under way arrive, then close them all.
            if self._listener is not None:
                asyncio.get_running_loop().remove_reader(self._listener)
                self._listener = None
            for _ in range(3):
                await asyncio.sleep(0)
            await runner.cleanup()

    @property
    def url(self) -> str:
        """http(s)://127.0.0.1:port."""
        return f"{'https' if self.authority else 'http'}://127.0.0.1:{self._port}"

    # Clients

    def client(self, **options: Any) -> KubeClient:
        """A client of this server; `options` go to KubeClient."""
        return KubeClient(self.endpoint(), **options)

    def endpoint(self) -> Endpoint:
        """Where it is; for plain HTTP only, TLS goes through a kubeconfig."""
        if self.authority is not None:
            raise ValueError("with tls, write a kubeconfig and use KubeClient.from_kubeconfig")
        return Endpoint(self.cluster, self.url, token=self.token or None)

    def write_kubeconfig(self, path: Path, *, lifetime: timedelta = timedelta(days=1)) -> Path:
        """A kubeconfig (0600, replaced by rename) with a fresh client certificate and the token; needs `tls`."""
        if self.authority is None:
            raise ValueError("a kubeconfig needs tls=True: clients refuse plain HTTP")
        pair = self.authority.issue("fake-admin", lifetime=lifetime)
        user = {"client-certificate-data": _base64(pair.certificate), "client-key-data": _base64(pair.key)}
        if self.token:
            user["token"] = self.token
        cluster = {"server": self.url, "certificate-authority-data": _base64(self.authority.certificate)}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": self.cluster,
            "contexts": [{"name": self.cluster, "context": {"cluster": self.cluster, "user": "admin"}}],
            "clusters": [{"name": self.cluster, "cluster": cluster}],
            "users": [{"name": "admin", "user": user}],
        }
        new = path.with_name(f"{path.name}.new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(orjson.dumps(document))
        return new.replace(path)

    # Faults that act at once

    def compact(self) -> None:
        """Forgets history: a watch or a page from any older version gets 410."""
        self.store.compact()

    def end_watches(self) -> None:
        """Ends every open watch politely, as when its time is up."""
        for watch in list(self._watches):
            watch.ended.set()

    def cut_watches(self) -> None:
        """Aborts the connection of every open watch."""
        for watch in list(self._watches):
            watch.ended.set()
            watch.cut()

    def bookmark(self) -> None:
        """Makes every open watch send a bookmark."""
        for watch in list(self._watches):
            watch.bookmark()

    @property
    def open_watches(self) -> int:
        """How many watches are open."""
        return len(self._watches)

    async def until_watches(self, count: int, timeout: float = 5.0) -> None:  # noqa: ASYNC109
        """Returns when exactly so many watches are open; TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout):
            while len(self._watches) != count:
                await self._watches_changed.wait()

    def big_object(self, resource: Resource, name: str, size: int, namespace: str | None = None) -> Object:
        """Stores an object whose JSON is a little more than `size` bytes."""
        obj = {"metadata": {"name": name, "annotations": {"padding": "x" * size}}}
        return self.store.create(resource, obj, namespace)

    # Answering

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path
        seen = Seen(request.method, path, dict(request.query))
        self.requests.append(seen)
        try:
            response = await self._answer(request, path)
        except Refusal as refusal:
            response = self._refused(refusal)
        except ValueError as error:
            response = self._refused(Refusal(400, "BadRequest", str(error)))
        seen.code = response.status
        return response

    async def _answer(self, request: web.Request, path: str) -> web.StreamResponse:
        target = target_of(path, self.store.resources)
        await self._meet(request, "" if target is None else target.resource.plural)
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            raise Refusal(401, "Unauthorized", "Unauthorized")
        if path == _REVIEWS:
            return self._review(orjson.loads(await request.read()))
        if target is None:
            return self._other(path)
        if request.method == "GET" and request.query.get("watch") in ("1", "true"):
            return await self._watch(request, target)
        code, obj = self._crud.answer(request.method, target, request.query, await request.read(), request.content_type)
        return web.Response(body=orjson.dumps(obj), status=code, content_type="application/json")

    async def _meet(self, request: web.Request, plural: str) -> None:
        """The faults that hit any request."""
        if self.fail.delay_seconds and (not self.fail.only or self.fail.only == plural):
            await asyncio.sleep(self.fail.delay_seconds)
        if self.fail.take("drop", plural) and request.transport is not None:
            request.transport.abort()
            raise Refusal(500, "InternalError", "dropped")  # never reaches the client
        for code, reason in _REASONS.items():
            if self.fail.take(f"status_{code}", plural):
                raise Refusal(code, reason, "failpoint")

    def _refused(self, refusal: Refusal) -> web.Response:
        headers = {}
        if refusal.code in (429, 503) and self.fail.retry_after:
            headers["Retry-After"] = str(self.fail.retry_after)
        body = orjson.dumps(status(refusal.code, refusal.reason, str(refusal)))
        return web.Response(body=body, status=refusal.code, headers=headers, content_type="application/json")

    def _review(self, review: Object) -> web.Response:
        asked = review["spec"].get("resourceAttributes") or {}
        resource = ".".join(filter(None, (asked.get("resource", ""), asked.get("group", ""))))
        allowed = not self.denied if resource == "*.*" else (asked.get("verb", ""), resource) not in self.denied
        body = orjson.dumps({**review, "status": {"allowed": allowed}})
        return web.Response(body=body, status=201, content_type="application/json")

    def _other(self, path: str) -> web.Response:
        if path in _TEXTS:
            return web.Response(text=_TEXTS[path])
        if path == "/metrics":
            return web.Response(text=self.metrics_text)
        served = discovery_of(path, self.store.resources)
        if served is None:
            raise Refusal(404, "NotFound", "the server could not find the requested resource")
        return web.Response(body=orjson.dumps(served), content_type="application/json")

    async def _watch(self, request: web.Request, target: Target) -> web.StreamResponse:
        watch = WatchAnswer(self.store, self.fail, target, match_of(request.query), self._bookmark_seconds)
        self._count_watch(watch, opened=True)
        try:
            return await watch.serve(request)
        finally:
            self._count_watch(watch, opened=False)

    def _count_watch(self, watch: WatchAnswer, *, opened: bool) -> None:
        (self._watches.add if opened else self._watches.discard)(watch)
        self._watches_changed.set()
        self._watches_changed = asyncio.Event()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
