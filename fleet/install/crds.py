"""CustomResourceDefinitions: read from the toolchain and from our own folder, applied, waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from importlib import resources as package_files
from pathlib import Path
from typing import Any

import yaml

from fleet.errors import ToolchainError
from fleet.install.objects import Ledger, ensure
from fleet.install.waiting import until
from fleet.kube.client import KubeClient
from fleet.kube.conditions import condition
from fleet.kube.errors import NotFound, Unreachable
from fleet.kube.resources import CRDS
from fleet.model.yaml_source import Loader

APPLY_SECONDS = 120.0
ESTABLISH_SECONDS = 60.0


def read_crds(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """The CustomResourceDefinitions in those files (YAML, several documents allowed), without their status.

    Raises ToolchainError for a file that holds none: a template, a wrong file.
    """
    found: list[dict[str, Any]] = []
    for path in paths:
        crds = crds_of(read_manifest(path))
        if not crds:
            raise ToolchainError(f"{path} holds no CustomResourceDefinition: build the toolchain again")
        found += crds
    return found


def read_manifest(path: Path) -> list[dict[str, Any]]:
    """The objects of a file (YAML, several documents allowed), in its order; ToolchainError when it is no such file."""
    try:
        documents = list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=Loader))
    except (OSError, yaml.YAMLError) as error:
        raise ToolchainError(f"{path} cannot be read as YAML ({error}): build the toolchain again") from error
    return [document for document in documents if isinstance(document, dict)]


def crds_of(objects: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The CustomResourceDefinitions among them, without their status."""
    return [_without_status(crd) for crd in objects if crd.get("kind") == "CustomResourceDefinition"]


def packaged_crd(package: str, name: str) -> dict[str, Any]:
    """A CustomResourceDefinition of our own, `crds/<name>.yaml` of that package."""
    text = package_files.files(package).joinpath("crds", f"{name}.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document


async def ensure_crds(client: KubeClient, crds: Iterable[Mapping[str, Any]], ledger: Ledger) -> bool:
    """Apply them side by side and wait until each is Established; True when any had to change.

    An API server that is too starved to answer is asked again, for as long as `until` allows.
    """
    crds = list(crds)
    left = {crd["metadata"]["name"]: crd for crd in crds}
    answered = 0
    changed = False

    async def apply(name: str, crd: Mapping[str, Any]) -> None:
        nonlocal answered, changed
        changed |= await ensure(client, CRDS, crd, ledger)
        answered += 1
        del left[name]

    async def applied() -> bool:
        results = await asyncio.gather(*(apply(*one) for one in list(left.items())), return_exceptions=True)
        errors = [result for result in results if isinstance(result, BaseException)]
        if errors:  # one that says what is wrong goes before a silence
            raise min(errors, key=lambda error: isinstance(error, Unreachable))
        return True

    def late() -> str:
        return f"{client.cluster}: {len(left)} of {len(crds)} CustomResourceDefinitions were not taken: {_names(left)}"

    await until(applied, APPLY_SECONDS, late, progress=lambda: answered)
    if not ledger.check:
        await wait_established(client, [crd["metadata"]["name"] for crd in crds])
    return changed


async def wait_established(client: KubeClient, names: Iterable[str], *, seconds: float = ESTABLISH_SECONDS) -> None:
    """Wait until the server serves those CRDs; DeadlineError names the ones that it does not."""
    left = set(names)
    answered = 0

    async def look() -> bool:
        nonlocal answered
        for name in sorted(left):
            try:
                crd = await client.get(CRDS, name)
            except NotFound:
                crd = {}
            answered += 1
            if condition(crd, "Established"):
                left.discard(name)
        return not left

    await until(look, seconds, lambda: f"{client.cluster}: not served: {_names(left)}", progress=lambda: answered)


def _names(found: Iterable[str]) -> str:
    return ", ".join(sorted(found))


def _without_status(crd: Mapping[str, Any]) -> dict[str, Any]:
    """The CRD as the server stores it: no status, and not the one false field that v1 always drops."""
    metadata = {key: value for key, value in crd["metadata"].items() if value is not None}
    spec = {key: value for key, value in crd["spec"].items() if (key, value) != ("preserveUnknownFields", False)}
    return {**{key: value for key, value in crd.items() if key != "status"}, "metadata": metadata, "spec": spec}
