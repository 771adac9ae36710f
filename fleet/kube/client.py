"""The asynchronous client of one API server: typed paths, bounded retries, an optional client-go rate limiter."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, Unpack

import orjson

from fleet.errors import KubeError
from fleet.kube import kubeconfig
from fleet.kube.credential import Reload
from fleet.kube.discovery import Discovery
from fleet.kube.endpoint import Endpoint
from fleet.kube.limiter import TokenBucket
from fleet.kube.resources import Resource
from fleet.kube.transport import Answer, Params, RequestOptions, Stream, Transport
from fleet.kube.user_kubeconfig import UserKubeconfig

PatchType = Literal["merge", "json", "strategic", "apply"]
Propagation = Literal["Background", "Foreground", "Orphan"]
Object = dict[str, Any]
OUTPUT_CHANNEL, STATUS_CHANNEL = 1, 3
"""Of a remote command's websocket."""

_PATCH_TYPES: dict[PatchType, str] = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",  # JSON is YAML
}


class KubeClient:
    """One API server. Use as `async with`, or call `close()`.

    Every call raises KubeError (see `fleet.kube.errors`), whose text names the cluster. `timeout` bounds one attempt,
    `retry_seconds` all attempts together; both in seconds. Reads, deletes, replaces and patches (but JSON patches) are
    tried again after 429, 5xx and lost connections; `create` only when asked.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        qps: float | None = None,
        burst: int | None = None,
        timeout: float = 30.0,
        retry_seconds: float = 60.0,
        reload: Reload | None = None,
    ) -> None:
        self.cluster = endpoint.cluster
        self.limiter = TokenBucket(qps, burst)
        self.transport = Transport(endpoint, self.limiter, timeout=timeout, retry_seconds=retry_seconds, reload=reload)
        self.discovery = Discovery(self.transport)

    @classmethod
    def from_kubeconfig(
        cls,
        path: Path | str,
        *,
        cluster: str,
        allowed: Collection[str] = (),
        context: str | None = None,
        qps: float | None = None,
        burst: int | None = None,
        timeout: float = 30.0,
        retry_seconds: float = 60.0,
    ) -> KubeClient:
        """A client for one context of a kubeconfig, which is read again when the server answers 401.

        Raises SpecError for a kubeconfig that must not be used (see `fleet.kube.kubeconfig.load`).
        """

        def read() -> Endpoint:
            return kubeconfig.load(path, cluster=cluster, allowed=allowed, context=context)

        async def again() -> Endpoint:
            return read()

        return cls(read(), qps=qps, burst=burst, timeout=timeout, retry_seconds=retry_seconds, reload=again)

    @classmethod
    async def from_user_kubeconfig(
        cls,
        source: UserKubeconfig,
        *,
        timeout: float = 30.0,  # noqa: ASYNC109 - of each request
        retry_seconds: float = 60.0,
    ) -> KubeClient:
        """A client for a cluster that a user has already, whose credential is renewed before it ends and upon a 401.

        Raises SpecError for a kubeconfig that must not be used or gives no credential.
        """
        return cls(await source.load(), timeout=timeout, retry_seconds=retry_seconds, reload=source.load)

    @property
    def server(self) -> str:
        """https://host:port of the API server."""
        return self.transport.endpoint.server

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes all connections; safe to call twice."""
        await self.transport.close()

    # Reading

    async def get(
        self, resource: Resource, name: str, namespace: str | None = None, *, subresource: str | None = None
    ) -> Object:
        """One object. NotFound when it is not there."""
        return await self._json("GET", resource.path(name, namespace, subresource))

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        limit: int | None = None,
        continue_: str | None = None,
        resource_version: str | None = None,
    ) -> Object:
        """One page as the server sends it: `metadata` (resourceVersion, continue) and `items`."""
        params = _params(
            labelSelector=label_selector,
            fieldSelector=field_selector,
            limit=limit,
            resourceVersion=resource_version,
            **{"continue": continue_},
        )
        return await self._json("GET", resource.path(namespace=namespace), params=params)

    async def list_all(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        page_size: int = 500,
    ) -> builtins.list[Object]:
        """The items of all pages. Gone when the list outlived its continue token."""
        items: builtins.list[Object] = []
        token: str | None = None
        while True:
            page = await self.list(
                resource,
                namespace,
                label_selector=label_selector,
                field_selector=field_selector,
                limit=page_size,
                continue_=token,
            )
            items += page.get("items") or []
            token = page["metadata"].get("continue")
            if not token:
                return items

    # Writing

    async def create(
        self, resource: Resource, obj: Mapping[str, Any], namespace: str | None = None, *, retry: bool = False
    ) -> Object:
        """Creates the object and returns it as stored. AlreadyExists when its name is taken.

        `namespace` defaults to the object's own. With `retry` the call is tried again like a read; then AlreadyExists
        can also mean that an earlier try had succeeded. A load generator leaves it off: one call, one request.
        """
        path = resource.path(namespace=_namespace(resource, obj, namespace))
        return await self._json("POST", path, body=obj, retry=retry)

    async def replace(self, resource: Resource, obj: Mapping[str, Any], namespace: str | None = None) -> Object:
        """Replaces the object of that name. Conflict when it holds an older resourceVersion."""
        path = resource.path(obj["metadata"]["name"], _namespace(resource, obj, namespace))
        return await self._json("PUT", path, body=obj)

    async def replace_status(self, resource: Resource, obj: Mapping[str, Any], namespace: str | None = None) -> Object:
        """Replaces the status of the object of that name (kinds with a status subresource)."""
        path = resource.path(obj["metadata"]["name"], _namespace(resource, obj, namespace), "status")
        return await self._json("PUT", path, body=obj)

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Mapping[str, Any] | builtins.list[Any],
        namespace: str | None = None,
        *,
        type: PatchType = "merge",  # noqa: A002 - the API's own word
        field_manager: str | None = None,
        force: bool = False,
        subresource: str | None = None,
    ) -> Object:
        """Patches one object and returns it as stored. `force` takes over fields of other managers (apply only)."""
        if type == "apply" and not field_manager:
            raise ValueError("server-side apply needs field_manager")
        params = _params(fieldManager=field_manager, force="true" if force and type == "apply" else None)
        return await self._json(
            "PATCH",
            resource.path(name, namespace, subresource),
            params=params,
            body=patch,
            content_type=_PATCH_TYPES[type],
            retry=type != "json",
        )

    async def apply(
        self,
        resource: Resource,
        obj: Mapping[str, Any],
        namespace: str | None = None,
        *,
        field_manager: str = "fleet",
        force: bool = True,
    ) -> Object:
        """Server-side apply of a whole manifest: creates it or brings it to this state."""
        return await self.patch(
            resource,
            obj["metadata"]["name"],
            obj,
            _namespace(resource, obj, namespace),
            type="apply",
            field_manager=field_manager,
            force=force,
        )

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        propagation: Propagation | None = None,
        uid: str | None = None,
    ) -> Object:
        """Deletes one object; with `uid` only if it is still that one, else Conflict. NotFound when it is not there."""
        options: Object = {"kind": "DeleteOptions", "apiVersion": "v1"}
        if propagation:
            options["propagationPolicy"] = propagation
        if uid:
            options["preconditions"] = {"uid": uid}
        return await self._json("DELETE", resource.path(name, namespace), body=options)

    async def delete_collection(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        propagation: Propagation | None = None,
    ) -> Object:
        """Deletes all objects that match; a selector is required, so that nobody empties a cluster by omission."""
        if not label_selector and not field_selector:
            raise ValueError("delete_collection needs a selector")
        options: Object = {"kind": "DeleteOptions", "apiVersion": "v1"}
        if propagation:
            options["propagationPolicy"] = propagation
        params = _params(labelSelector=label_selector, fieldSelector=field_selector)
        return await self._json("DELETE", resource.path(namespace=namespace), params=params, body=options)

    # Anything else

    async def request(self, method: str, path: str, **options: Unpack[RequestOptions]) -> Answer:
        """One request with its stamps (`Answer.sent_ns`, `.received_ns`); `check` off returns error answers too."""
        return await self.transport.request(method, path, **options)

    async def raw(self, method: str, path: str, body: Any = None) -> bytes:
        """The answer's bytes, for paths that are no resources (`/readyz`, `/version`); GETs are retried."""
        answer = await self.transport.request(method, path, body=body, retry=method == "GET")
        return answer.body

    async def metrics(self) -> str:
        """The server's `/metrics`, in Prometheus' text format."""
        return (await self.raw("GET", "/metrics")).decode()

    async def ready(self, timeout: float = 5.0) -> bool:  # noqa: ASYNC109
        """Whether `/readyz` says so; one try, no error when the server is away."""
        return await self.transport.probe("/readyz", timeout)

    async def resource_for(self, manifest: Mapping[str, Any]) -> Resource:
        """The resource of a manifest's apiVersion and kind, asked of the server and remembered.

        NotFound when the server does not serve that kind.
        """
        return await self.discovery.resource_for(manifest)

    @asynccontextmanager
    async def stream(self, path: str, params: Params, *, idle_seconds: float) -> AsyncIterator[Stream]:
        """An open answer of unknown length: a watch, or a log that is followed.

        Unreachable when nothing at all arrives for `idle_seconds`. Never retried, but for a 401 once.
        """
        async with self.transport.stream(path, params, idle_seconds=idle_seconds) as stream:
            yield stream

    async def exec(self, path: str, command: Sequence[str], *, direct: bool = False, seconds: float = 30.0) -> bytes:
        """What a command in a container wrote to its output. `path`: a pod's `exec`, or with `direct` a kubelet's own.

        KubeError when it is refused or the command fails.
        """
        output = "output" if direct else "stdout"
        params = [*(("command", word) for word in command), (output, "1")]
        found = await self.transport.channels(path, params, seconds)
        status = orjson.loads(found.get(STATUS_CHANNEL) or b"{}")
        if status.get("status") != "Success":
            said = status.get("message") or "no status came"
            raise KubeError(f"exec {path}: {said}", cluster=self.cluster)
        return found.get(OUTPUT_CHANNEL, b"")

    async def _json(self, method: str, path: str, **options: Unpack[RequestOptions]) -> Object:
        """The object of an answer; tried again unless switched off."""
        options.setdefault("retry", True)
        return (await self.transport.request(method, path, **options)).json()


def _params(**values: str | int | None) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value is not None}


def _namespace(resource: Resource, obj: Mapping[str, Any], namespace: str | None) -> str | None:
    if not resource.namespaced:
        return None
    own: str | None = obj.get("metadata", {}).get("namespace")
    return namespace if namespace is not None else own
