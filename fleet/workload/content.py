"""What a policy's workload consists of: a Protocol, and the plain contents of one object each.

A content makes bodies without identity: name, namespace, labels and op-id are given by `fleet.workload.objects`.
"""

from __future__ import annotations

import random
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fleet.kube.resources import Resource
from fleet.model import kinds
from fleet.model.duration import shown as duration
from fleet.model.experiment_file import Workload

PADDING_ANNOTATION = "fleet-testbed/padding"
LIFETIME_ANNOTATION = "fleet-testbed/lifetime"
"""On a Pod: how long after it became ready a node simulator completes it, a Go duration."""
EXIT_CODE_ANNOTATION = "fleet-testbed/exit-code"
"""On a Pod with a lifetime: what its containers end with, 0 to 255."""
_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Place:
    """Where one copy of a content goes."""

    name: str
    """Unique in the run and namespace; every object's name is this or begins with it and a dash."""
    namespace: str
    op: str
    """Op-id of a content of one object."""
    copy: int
    """Number of this copy in its policy, from 0."""


@dataclass(frozen=True)
class Body:
    """One object without labels and op-id."""

    resource: Resource
    name: str
    manifest: Mapping[str, Any]


class Content(Protocol):
    """A kind of workload."""

    @property
    def name(self) -> str:
        """As a trial shows it: deployment, cluster-density."""

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Every resource it has objects of, in the order in which it makes them."""

    @property
    def crds(self) -> tuple[Mapping[str, Any], ...]:
        """CustomResourceDefinitions to apply where the cluster does not serve them."""

    @property
    def size(self) -> int:
        """Objects of one copy."""

    def bodies(self, place: Place) -> Sequence[Body]:
        """The objects of one copy; the same place gives the same objects."""


def random_text(length: int, seed: str) -> str:
    """Characters that do not compress to nothing; the same for the same seed."""
    return "".join(random.Random(seed).choices(_LETTERS, k=length))  # noqa: S311 - filling, not a secret


class Plain:
    """One object of a kind of the table per copy, padded to carry so many bytes more."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._kind = kind = kinds.WRITABLE[workload.kind]
        self.name = kind.name
        self.resources: tuple[Resource, ...] = (resource_of(kind),)
        self.crds: tuple[Mapping[str, Any], ...] = ()
        self.size = 1

    def bodies(self, place: Place) -> Sequence[Body]:
        """The one object."""
        asked, kind, resource = self._workload, self._kind, self.resources[0]
        assert kind.body is not None  # noqa: S101 - as of every writable kind
        padding = random_text(asked.bytes, place.name)
        wanted = kinds.Wanted(place.name, place.op, asked.pods, asked.lifetime is not None, padding)
        manifest = {"apiVersion": resource.api_version, "kind": resource.kind, **kind.body(wanted)}
        annotations: dict[str, str] = {}
        if padding and not kind.data:
            annotations[PADDING_ANNOTATION] = padding
        if asked.lifetime is not None:
            annotations[LIFETIME_ANNOTATION] = duration(asked.lifetime)
        if annotations:
            manifest["metadata"] = {"annotations": annotations}
        return [Body(resource, place.name, manifest)]


def resource_of(kind: kinds.Kind) -> Resource:
    """The resource of a kind; all of them are namespaced."""
    return Resource(kind.group, kind.version, kind.plural, kind.kind, namespaced=True)
