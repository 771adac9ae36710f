"""What a URL path of the Kubernetes API requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from fleet.kube.resources import Resource


@dataclass(frozen=True, slots=True)
class Target:
    """A collection (name None), an object, or a subresource of it."""

    resource: Resource
    namespace: str | None = None
    name: str | None = None
    subresource: str | None = None


def target_of(path: str, resources: Mapping[tuple[str, str, str], Resource]) -> Target | None:
    """The target of a percent-encoded path; None when no resource is served there."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api" and len(parts) > 2:  # noqa: PLR2004 - api, version, something
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:  # noqa: PLR2004 - apis, group, version, something
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = None
    if rest[0] == "namespaces" and len(rest) > 2 and (group, version, rest[2]) in resources:  # noqa: PLR2004
        namespace, rest = rest[1], rest[2:]
    resource = resources.get((group, version, rest[0]))
    if resource is None or (namespace is not None) > resource.namespaced:
        return None
    name = rest[1] if len(rest) > 1 else None
    if name is not None and resource.namespaced and namespace is None:
        return None
    return Target(resource, namespace, name, "/".join(rest[2:]) or None)


def discovery_of(path: str, resources: Mapping[tuple[str, str, str], Resource]) -> dict[str, object] | None:
    """The APIResourceList of `/api/v1` or `/apis/<group>/<version>`; None when nothing is served there."""
    served = [r for r in resources.values() if r.root == path.rstrip("/")]
    if not served:
        return None
    entries: list[dict[str, object]] = []
    for resource in served:
        entry = {"name": resource.plural, "kind": resource.kind, "namespaced": resource.namespaced}
        entries += [entry, {**entry, "name": f"{resource.plural}/status"}]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": served[0].api_version,
        "resources": entries,
    }
