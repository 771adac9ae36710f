"""What has to be in a WEC for Kyverno's controllers, from the manifest that the toolchain took from its module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.errors import ToolchainError
from fleet.install.crds import crds_of, read_manifest
from fleet.install.program_parts import Upstream
from fleet.kube.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIGMAPS,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    SERVICE_ACCOUNTS,
    Resource,
)
from fleet.platforms.kyverno import names

RESOURCES = {
    resource.kind: resource
    for resource in (
        NAMESPACES, SERVICE_ACCOUNTS, CONFIGMAPS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, ROLES, ROLE_BINDINGS
    )
}  # fmt: skip
"""What is taken of the manifest besides definitions. Its Deployments and Services are processes here."""


@dataclass(frozen=True)
class Manifest:
    """What the manifest has that a cluster needs."""

    crds: tuple[Mapping[str, Any], ...]
    objects: tuple[Mapping[str, Any], ...]
    """In the order in which they are created."""

    def placed(self) -> Iterator[tuple[Resource, Mapping[str, Any]]]:
        """Each object with its resource."""
        for each in self.objects:
            yield RESOURCES[each["kind"]], each


def manifest(upstream: Upstream) -> Manifest:
    """Read it; ToolchainError when it is not there or lacks what the controllers need."""
    path = upstream.crd(names.MANIFEST)
    found = read_manifest(path)
    crds = tuple(crd for crd in crds_of(found) if crd["spec"]["group"] in names.GROUPS)
    objects = tuple(each for kind in RESOURCES for each in found if each.get("kind") == kind)
    accounts = {each["metadata"]["name"] for each in objects if each["kind"] == SERVICE_ACCOUNTS.kind}
    if not crds or not accounts.issuperset(names.CONTROLLERS):
        raise ToolchainError(f"{path} is no manifest of Kyverno: build the toolchain again")
    return Manifest(crds, objects)
