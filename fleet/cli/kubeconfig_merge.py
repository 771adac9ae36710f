"""Merges clusters of a fleet into a kubeconfig: by rename, mode 0600, nothing of others touched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from fleet.errors import SpecError, UsageError
from fleet.host.files import write_private
from fleet.model import yaml_source
from fleet.model.fleet_file import Cluster

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
        for group, value in _entries(Path(cluster.kubeconfig), entry).items():
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


def _entries(path: Path, entry: str) -> dict[str, Any]:
    """The current context of one of our kubeconfigs and what it names, under the new name."""
    data = yaml_source.read(path).data
    try:
        by_name = {group: {item["name"]: item[kind] for item in data[group]} for group, kind in GROUPS.items()}
        context = by_name["contexts"][data["current-context"]]
        return {
            "clusters": by_name["clusters"][context["cluster"]],
            "users": by_name["users"][context["user"]],
            "contexts": {**context, "cluster": entry, "user": entry},
        }
    except (KeyError, TypeError) as error:
        raise SpecError(f"lacks {error}: build it again with `fleet up`", file=path) from error
