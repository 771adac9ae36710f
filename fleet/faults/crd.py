"""The fault `crd`: a CustomResourceDefinition is removed from a control plane, with all its objects, and restored."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import orjson

from fleet.errors import DeadlineError, UsageError
from fleet.faults.fault import Aim, Chosen, Plain
from fleet.faults.notes import kept
from fleet.faults.targets import of_planes, plane_of
from fleet.host.files import private_directory, write_private
from fleet.host.layout import Layout
from fleet.install import dial
from fleet.kube.client import KubeClient
from fleet.kube.conditions import condition
from fleet.kube.errors import Conflict, NotFound
from fleet.kube.resources import CRDS, Resource
from fleet.model.base import Model
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile

SECONDS = 120.0
"""For a CRD to be gone or served; its objects' finalizers must be taken off first."""
POLL = 0.2
OURS = ("resourceVersion", "uid", "creationTimestamp", "generation", "managedFields", "selfLink", "deletionTimestamp",
        "deletionGracePeriodSeconds")  # fmt: skip
"""What an API server gives an object."""


class CrdSettings(Model):
    """Of `crd`."""

    name: str = ""
    """`<plural>.<group>`."""
    objects: bool = True
    """Whether the objects that it had are restored too; false: whoever made them must make them again."""


class Crd(Plain):
    """See `Fault`."""

    name = "crd"
    settings = CrdSettings
    prepares = True

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:  # noqa: ARG002 - one control plane
        """See `Fault`."""
        if not CrdSettings.model_validate(wanted.settings).name:
            raise UsageError("a CRD's name is missing: write with: {name: <plural>.<group>}")
        (aim,) = of_planes(wanted, [plane_of(wanted, fleet)], fleet)
        return [aim.model_copy(update={"programs": []})]

    def refuse(self, aim: Aim, root: Path) -> str:
        """See `Fault`."""

        async def look() -> str:
            async with dial.client(Layout(root), aim.planes[0]) as client:
                try:
                    await client.get(CRDS, _of(aim).name)
                except NotFound:
                    return f"{aim.planes[0]} has no CRD {_of(aim).name}"
                return ""

        return asyncio.run(look())

    def prepare(self, aim: Aim, root: Path) -> None:
        """Keep the CRD and its objects as they are before the load."""

        async def keep() -> bytes:
            async with dial.client(Layout(root), aim.planes[0]) as client:
                crd = await client.get(CRDS, _of(aim).name)
                objects = await client.list_all(_resource(crd))
                items = objects["items"] if isinstance(objects, dict) else list(objects)
                return orjson.dumps({"crd": crd, "objects": items})

        private_directory(kept(root, aim))
        write_private(kept(root, aim) / "crd.json", asyncio.run(keep()))

    def inject(self, aim: Aim, root: Path) -> None:
        """See `Fault`. Returns when the order was taken: finalizers may hold the CRD for as long as they like."""

        async def remove() -> None:
            async with dial.client(Layout(root), aim.planes[0]) as client:
                await client.delete(CRDS, _of(aim).name)

        asyncio.run(remove())

    def heal(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        file = kept(root, aim) / "crd.json"
        if file.exists():
            asyncio.run(_restore(aim, root, orjson.loads(file.read_bytes())))


async def _restore(aim: Aim, root: Path, known: dict[str, Any]) -> None:
    resource = _resource(known["crd"])
    async with dial.client(Layout(root), aim.planes[0]) as client:
        await _until(client, resource, f"{resource} is still being deleted", lambda crd: not _deleted(crd))
        try:
            await client.get(CRDS, _of(aim).name)
        except NotFound:
            await client.create(CRDS, _bare(known["crd"]))
        await _until(client, resource, f"{resource} is not served", _established)
        for item in known["objects"] if _of(aim).objects else ():
            await _put(client, resource, item)


async def _put(client: KubeClient, resource: Resource, item: dict[str, Any]) -> None:
    """Create the object as it was, status included, where nobody else has made it again."""
    bare = {"apiVersion": resource.api_version, "kind": resource.kind, **_bare(item)}
    namespace = item["metadata"].get("namespace")
    try:
        made = await client.create(resource, bare, namespace)
    except (Conflict, NotFound):  # there again; or its namespace went meanwhile
        return
    if "status" in item:
        made["status"] = item["status"]
        try:
            await client.replace_status(resource, made, namespace)
        except (Conflict, NotFound):  # somebody was quicker, or it has no such subresource
            return


async def _until(client: KubeClient, resource: Resource, what: str, true: Any) -> None:
    end = time.monotonic() + SECONDS
    while True:
        try:
            crd: dict[str, Any] | None = await client.get(CRDS, f"{resource.plural}.{resource.group}")
        except NotFound:
            crd = None
        if true(crd):
            return
        if time.monotonic() > end:
            raise DeadlineError(f"{client.cluster}: {what} after {SECONDS:g} s: look at the finalizers of its objects")
        await asyncio.sleep(POLL)


def _deleted(crd: dict[str, Any] | None) -> bool:
    return crd is not None and "deletionTimestamp" in crd["metadata"]


def _established(crd: dict[str, Any] | None) -> bool:
    return crd is not None and condition(crd, "Established")


def _of(aim: Aim) -> CrdSettings:
    return CrdSettings.model_validate(aim.settings)


def _resource(crd: dict[str, Any]) -> Resource:
    spec = crd["spec"]
    version = next(one["name"] for one in spec["versions"] if one.get("storage"))
    names = spec["names"]
    return Resource(spec["group"], version, names["plural"], names["kind"], spec["scope"] == "Namespaced")


def _bare(obj: dict[str, Any]) -> dict[str, Any]:
    metadata = {name: value for name, value in obj["metadata"].items() if name not in OURS}
    return {**{name: value for name, value in obj.items() if name != "status"}, "metadata": metadata}
