"""Everything but watches that the fake API server does with objects: lists in pages, CRUD, patches, status."""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from fleet.testing.api_server.failpoints import Failpoints
from fleet.testing.api_server.patching import PatchError, apply_operations, merge
from fleet.testing.api_server.paths import Target
from fleet.testing.api_server.selecting import field_match, label_match
from fleet.testing.api_server.store import Object, Refusal, Store

Query = Mapping[str, str]

_SNAPSHOTS = 16
"""Lists whose further pages can still be requested."""


def match_of(query: Query) -> Callable[[Object], bool]:
    """Whether an object fulfils both selectors of a query; ValueError when one is malformed."""
    labels, fields = label_match(query.get("labelSelector", "")), field_match(query.get("fieldSelector", ""))
    return lambda obj: labels(obj) and fields(obj)


class Crud:
    """Answers one request with an HTTP code and an object, or raises Refusal."""

    def __init__(self, store: Store, fail: Failpoints) -> None:
        self._store = store
        self._fail = fail
        self._snapshots: OrderedDict[str, tuple[int, list[Object]]] = OrderedDict()

    def answer(  # noqa: PLR0911 - one return per verb
        self, method: str, target: Target, query: Query, body: bytes, content_type: str
    ) -> tuple[int, Mapping[str, Any]]:
        """Code and body."""
        sent = self._parsed(body)
        match method, target.name is None:
            case "GET", True:
                return 200, self._list(target, query)
            case "POST", True:
                fresh = {key: value for key, value in sent.items() if key != "status"}  # status is written on its own
                return 201, self._store.create(target.resource, fresh, target.namespace)
            case "DELETE", True:
                return 200, self._delete_all(target, query, sent)
            case "GET", False:
                return 200, self._store.get(target.resource, target.name or "", target.namespace)
            case "PUT", False:
                return 200, self._change(target, lambda _old: sent)
            case "PATCH", False:
                return self._patch(target, query, sent, content_type)
            case "DELETE", False:
                return 200, self._delete(target, sent)
        raise Refusal(405, "MethodNotAllowed", f"{method} is not supported on resources of kind {target.resource}")

    def _parsed(self, body: bytes) -> Any:
        try:
            return orjson.loads(body) if body else {}
        except orjson.JSONDecodeError as error:
            raise Refusal(400, "BadRequest", f"the body is no JSON: {error}") from error

    # Lists

    def _list(self, target: Target, query: Query) -> Mapping[str, Any]:
        limit = int(query.get("limit") or 0)
        token = query.get("continue")
        if token:
            if self._fail.take("gone_on_continue", target.resource.plural):
                raise Refusal(410, "Expired", "The provided continue parameter is too old (failpoint)")
            version, items = self._snapshot(token)
        else:
            match = match_of(query)
            version = self._store.version
            items = [obj for obj in self._store.objects(target.resource, target.namespace) if match(obj)]
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        page = items[:limit] if limit else items
        if len(page) < len(items):
            rest = items[limit:]
            metadata["continue"] = self._remember(version, rest)
            metadata["remainingItemCount"] = len(rest)
        kind = target.resource
        return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata, "items": page}

    def _remember(self, version: int, rest: list[Object]) -> str:
        key = base64.urlsafe_b64encode(f"{version}/{id(rest)}/{len(rest)}".encode()).decode()
        self._snapshots[key] = (version, rest)
        while len(self._snapshots) > _SNAPSHOTS:
            self._snapshots.popitem(last=False)
        return key

    def _snapshot(self, token: str) -> tuple[int, list[Object]]:
        found = self._snapshots.get(token)
        if found is None or found[0] < self._store.compacted:
            raise Refusal(410, "Expired", "The provided continue parameter is too old to display a consistent list")
        return found

    # Writes

    def _change(self, target: Target, make: Callable[[Object], Object]) -> Object:
        """Replaces the object, or its status only, or everything but its status."""

        def change(old: Object) -> Object:
            new = make(old)
            if target.subresource == "status":
                version = (new.get("metadata") or {}).get("resourceVersion")
                metadata = {**old["metadata"], **({"resourceVersion": version} if version else {})}
                return {**old, "metadata": metadata, "status": new.get("status")}
            kept = {"status": old["status"]} if "status" in old else {}
            return {**{key: value for key, value in new.items() if key != "status"}, **kept}

        if target.subresource not in (None, "status", "approval", "finalize"):
            raise Refusal(404, "NotFound", "the server could not find the requested resource")
        if target.subresource == "approval":  # a CSR's approval writes status conditions
            target = Target(target.resource, target.namespace, target.name, "status")
        if target.name is None:
            raise Refusal(405, "MethodNotAllowed", "a collection cannot be replaced")
        return self._store.update(target.resource, target.name, target.namespace, change)

    def _patch(self, target: Target, query: Query, sent: Any, content_type: str) -> tuple[int, Object]:
        """Merge and JSON patches exactly; strategic ones and apply as merge patches (lists are replaced)."""
        if content_type == "application/json-patch+json":
            try:
                return 200, self._change(target, lambda old: apply_operations(old, sent))
            except PatchError as error:
                raise Refusal(422, "Invalid", str(error)) from error
        if content_type == "application/apply-patch+yaml":
            if not query.get("fieldManager"):
                raise Refusal(422, "Invalid", "fieldManager: Required value: is required for apply patch")
            if target.subresource is None and not self._exists(target):
                metadata = {**(sent.get("metadata") or {}), "name": target.name}
                return 201, self._store.create(target.resource, {**sent, "metadata": metadata}, target.namespace)
        elif content_type not in ("application/merge-patch+json", "application/strategic-merge-patch+json"):
            raise Refusal(415, "UnsupportedMediaType", f"patches of type {content_type} are not supported")
        return 200, self._change(target, lambda old: merge(old, sent))

    def _exists(self, target: Target) -> bool:
        try:
            self._store.get(target.resource, target.name or "", target.namespace)
        except Refusal:
            return False
        return True

    def _delete(self, target: Target, options: Mapping[str, Any]) -> Mapping[str, Any]:
        uid = (options.get("preconditions") or {}).get("uid")
        propagation = options.get("propagationPolicy") or "Background"
        return self._store.delete(
            target.resource, target.name or "", target.namespace, uid=uid, propagation=propagation
        )

    def _delete_all(self, target: Target, query: Query, options: Mapping[str, Any]) -> Mapping[str, Any]:
        match = match_of(query)
        propagation = options.get("propagationPolicy") or "Background"
        items = [obj for obj in self._store.objects(target.resource, target.namespace) if match(obj)]
        for obj in items:
            metadata = obj["metadata"]
            self._store.delete(target.resource, metadata["name"], metadata.get("namespace"), propagation=propagation)
        kind, version = target.resource, {"resourceVersion": str(self._store.version)}
        return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": version, "items": items}
