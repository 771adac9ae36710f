"""Clusters that a fleet takes as they are: from the variables that name them to entries of the fleet file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from fleet.errors import UsageError
from fleet.kube.user_kubeconfig import UserKubeconfig
from fleet.model.base import NAME_PATTERN
from fleet.model.existing import ExistingHub, ExistingWecs
from fleet.model.fleet_file import EXISTING, WEC, Cluster

WECS, HUB = "existing_wecs", "existing_hub"
"""The variables."""


def existing_clusters(variables: Mapping[str, Any], machine: str) -> list[Cluster]:
    """Every cluster that the variables name, with the user's own file and context: nothing of it is copied.

    Only files are read: no cluster is reached, no credential plugin run. UsageError for a file or context that is not
    there or must not be used, a name that is invalid or is there twice, and two entries at one API server.
    """
    hub = TypeAdapter(ExistingHub).validate_python(variables.get(HUB) or {})
    wecs = ExistingWecs.model_validate(variables.get(WECS) or {})
    found: dict[str, Cluster] = {}
    servers: dict[tuple[str, str], str] = {}
    for source, role in (*_of_hub(hub), *_of_wecs(wecs)):
        context, server = source.check()
        if source.cluster in found:
            raise UsageError(f"{WECS}: two clusters are called {source.cluster}: name one of them otherwise (names)")
        other = servers.setdefault((server, "wec" if role == WEC else "hub"), source.cluster)
        if other != source.cluster and role == WEC:
            raise UsageError(f"{WECS}: {source.cluster} and {other} are the same cluster, {server}")
        found[source.cluster] = Cluster(
            name=source.cluster,
            role=role,
            machine=machine,
            driver=EXISTING,
            server=server,
            kubeconfig=str(source.path),
            context=context,
        )
    return list(found.values())


def _of_hub(hub: ExistingHub) -> Iterator[tuple[UserKubeconfig, str]]:
    for role, planes in hub.items():
        for name, plane in planes.items():
            yield UserKubeconfig(_file(HUB, plane.kubeconfig), name, plane.context), role


def _of_wecs(wecs: ExistingWecs) -> Iterator[tuple[UserKubeconfig, str]]:
    files = [file for given in wecs.kubeconfigs for file in _files(_file(WECS, given))]
    if wecs.contexts:
        if len(files) != 1:
            raise UsageError(
                f"{WECS}: contexts are of one kubeconfig; {wecs.kubeconfigs[0]} is a folder of {len(files)}"
            )
        pairs = [(files[0], context, context) for context in wecs.contexts]
    else:
        pairs = [(file, "", file.name) for file in files]
    unused = sorted(wecs.names.keys() - {known for _, _, known in pairs})
    if unused:
        raise UsageError(f"{WECS}: names: there is no {unused[0]}; there: {', '.join(known for *_, known in pairs)}")
    for file, context, known in pairs:
        name = wecs.names.get(known) or (known if context else file.stem)
        if not re.fullmatch(NAME_PATTERN, name):
            raise UsageError(
                f"{WECS}: {name!r} cannot be the name of a cluster: give it one, names: {{{known!r}: ...}}"
            )
        yield UserKubeconfig(file, name, context), WEC


def _file(variable: str, given: str) -> Path:
    path = Path(given).expanduser()
    if not path.is_absolute():
        raise UsageError(f"{variable}: {given} must be an absolute path, since `fleet` is run from anywhere")
    return path


def _files(path: Path) -> list[Path]:
    """A folder's files, hidden ones left out; or the file itself."""
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    if not files:
        raise UsageError(f"{WECS}: there is no kubeconfig in the folder {path}")
    return files
