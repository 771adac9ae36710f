"""Merges clusters of a fleet into a kubeconfig: by rename, mode 0600, nothing of others touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from fleet.errors import SpecError, UsageError
from fleet.host.files import write_private
from fleet.model import yaml_source
from fleet.model.fleet_file import Cluster

FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
"""Fields that name files."""
GROUPS = {"clusters": "cluster", "contexts": "context", "users": "user"}


def merge_into(file: Path, fleet: str, clusters: Sequence[Cluster]) -> Path:
    """Put a context `fleet-<fleet>-<cluster>` for each cluster into `file`, made when missing; `file` itself.

    Entries of that name are replaced; the rest, and a current context that is set, stay. Raises SpecError for a file
    that is no kubeconfig, UsageError for one that cannot be written; then nothing was changed.
    """
    if file.is_symlink():
        raise UsageError(f"{file} is a symbolic link: give the file itself")
    if not file.parent.is_dir():
        raise UsageError(f"{file.parent} is no folder: make it first")
    document = _existing(file)
    for cluster in clusters:
        entry = f"fleet-{fleet}-{cluster.name}"
        for group, value in _entries(cluster, entry).items():
            kept = [item for item in document[group] if item.get("name") != entry]
            document[group] = [*kept, {"name": entry, GROUPS[group]: value}]
        document["current-context"] = document.get("current-context") or entry
    try:
        write_private(file, yaml.safe_dump(document, sort_keys=False).encode())
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from error
    return file


def _existing(file: Path) -> dict[str, Any]:
    """The document that is there, or an empty one."""
    empty: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "clusters": [], "contexts": [], "users": []}
    if not file.exists() or not file.stat().st_size:
        return empty
    data = yaml_source.read(file).data
    if not isinstance(data, dict) or data.get("kind") != "Config":
        raise SpecError("is not a kubeconfig (kind: Config): give another file", file=file)
    document = {**empty, **data}
    for group in GROUPS:
        document[group] = document[group] or []
        if not isinstance(document[group], list) or not all(isinstance(item, dict) for item in document[group]):
            raise SpecError("must be a list of entries", file=file, field=group)
    return document


def _entries(cluster: Cluster, entry: str) -> dict[str, Any]:
    """The context of a cluster and what it names, under the new name; paths in a user's file are made absolute."""
    path = Path(cluster.kubeconfig)
    data = yaml_source.read(path).data
    try:
        by_name = {group: {item["name"]: item[kind] for item in data[group]} for group, kind in GROUPS.items()}
        context = by_name["contexts"][cluster.context or data["current-context"]]
        return {
            "clusters": _absolute(by_name["clusters"][context["cluster"]], path.parent),
            "users": _absolute(by_name["users"][context["user"]], path.parent),
            "contexts": {**context, "cluster": entry, "user": entry},
        }
    except (KeyError, TypeError) as error:
        raise SpecError(f"lacks {error}: build it again with `fleet up`", file=path) from error


def _absolute(entry: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Names of files count from the kubeconfig's own folder; a plugin's command only when it is a path."""
    found = {key: str(folder / value) if key in FILES and value else value for key, value in entry.items()}
    plugin: Any = entry.get("exec") or {}
    if "/" in plugin.get("command", ""):
        found["exec"] = {**plugin, "command": str(folder / plugin["command"])}
    return found
