"""Probes of what every control plane does with objects: isolation, rights, deletion, apply, watches."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson

from fleet.experiments.density.probes.probe import Planes, Probe, gone, until
from fleet.kube.errors import Conflict
from fleet.kube.lines import LineSplitter
from fleet.kube.resources import CONFIGMAPS, NAMESPACES, ROLE_BINDINGS, ROLES

WATCH_SECONDS = 15.0
MOST_BYTES = 1 << 20


def config_map(name: str, **metadata: Any) -> dict[str, Any]:
    """A small object."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": {"key": "value"}}


async def isolation(planes: Planes) -> str:
    """An object of one control plane is not in the other, and the other may have one of the same name."""
    made = await planes.one.create(CONFIGMAPS, config_map("isolated"), planes.namespace)
    if not await gone(planes.other, CONFIGMAPS, "isolated", planes.namespace):
        return "an object of one control plane is in the other"
    twin = await planes.other.create(CONFIGMAPS, config_map("isolated"), planes.namespace)
    return "both have one object" if twin["metadata"]["uid"] == made["metadata"]["uid"] else ""


async def rights(planes: Planes) -> str:
    """RBAC, as a SubjectAccessReview says: denied without a binding, allowed with one, and not in the other."""
    client, namespace, user = planes.one, planes.namespace, "probe-user"
    review = {
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {
            "user": user,
            "resourceAttributes": {"namespace": namespace, "verb": "get", "resource": "configmaps"},
        },
    }  # fmt: skip

    async def allowed(of: Planes, *, other: bool = False) -> bool:
        answer = await (of.other if other else of.one).request(
            "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body=review
        )
        return bool(answer.json()["status"]["allowed"])

    if await allowed(planes):
        return "a user without a binding is allowed"
    api = "rbac.authorization.k8s.io"
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}
    await client.create(
        ROLES, {"apiVersion": f"{api}/v1", "kind": "Role", "metadata": {"name": "probe"}, "rules": [rule]}, namespace
    )
    binding = {
        "apiVersion": f"{api}/v1", "kind": "RoleBinding", "metadata": {"name": "probe"},
        "subjects": [{"kind": "User", "name": user, "apiGroup": api}],
        "roleRef": {"kind": "Role", "name": "probe", "apiGroup": api},
    }  # fmt: skip
    await client.create(ROLE_BINDINGS, binding, namespace)
    if not await until(lambda: allowed(planes)):
        return "a user with a binding is denied"
    return "a binding of one control plane holds in the other" if await allowed(planes, other=True) else ""


async def namespace_deletion(planes: Planes) -> str:
    """A namespace with an object in it goes when it is deleted: the namespace controller empties it."""
    name = f"{planes.namespace}-gone"
    await planes.one.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    await planes.one.create(CONFIGMAPS, config_map("inside"), name)
    await planes.one.delete(NAMESPACES, name)
    ended = await until(lambda: gone(planes.one, NAMESPACES, name))
    return "" if ended else "a deleted namespace stays"


async def garbage_collection(planes: Planes) -> str:
    """A dependent goes with its owner: the garbage collector deletes it."""
    owner = await planes.one.create(CONFIGMAPS, config_map("owner"), planes.namespace)
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    await planes.one.create(CONFIGMAPS, config_map("dependent", ownerReferences=[reference]), planes.namespace)
    await planes.one.delete(CONFIGMAPS, "owner", planes.namespace, propagation="Background")
    ended = await until(lambda: gone(planes.one, CONFIGMAPS, "dependent", planes.namespace))
    return "" if ended else "a dependent stays when its owner is gone"


async def server_side_apply(planes: Planes) -> str:
    """Fields have managers, and two managers of one field conflict unless the second forces it."""
    client, namespace = planes.one, planes.namespace
    await client.apply(CONFIGMAPS, config_map("applied"), namespace, field_manager="first", force=False)
    changed = config_map("applied") | {"data": {"key": "other"}}
    try:
        await client.apply(CONFIGMAPS, changed, namespace, field_manager="second", force=False)
    except Conflict:
        stored = await client.apply(CONFIGMAPS, changed, namespace, field_manager="second")
        managers = {entry["manager"] for entry in stored["metadata"].get("managedFields", ())}
        return "" if "second" in managers else f"managers of its fields are {sorted(managers)}"
    return "two managers of one field do not conflict"


async def bookmarks(planes: Planes) -> str:
    """A watch that begins with the objects there are ends them by a bookmark (a streaming list)."""
    params = {
        "watch": "true", "allowWatchBookmarks": "true", "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
    }  # fmt: skip
    lines = LineSplitter(MOST_BYTES)
    path = CONFIGMAPS.path(namespace=planes.namespace)
    async with planes.one.stream(path, params, idle_seconds=WATCH_SECONDS) as stream:
        while chunk := await stream.read():
            for line in lines.feed(chunk):
                event = orjson.loads(line)
                if event["type"] == "BOOKMARK":
                    return ""
                if event["type"] == "ERROR":
                    return f"the watch is refused: {event['object'].get('code', HTTPStatus.INTERNAL_SERVER_ERROR)}"
    return "the watch ended without a bookmark"


OBJECTS = (
    Probe("isolation", "objects of one are not in the other", isolation),
    Probe("rbac", "rights follow bindings", rights),
    Probe("namespace-deletion", "a deleted namespace goes", namespace_deletion),
    Probe("garbage-collection", "a dependent goes with its owner", garbage_collection),
    Probe("server-side-apply", "two managers of a field conflict", server_side_apply),
    Probe("watch-bookmarks", "a streaming list ends by a bookmark", bookmarks),
)
