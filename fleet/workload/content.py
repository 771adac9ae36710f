"""What a policy's workload consists of: a Protocol, and the plain contents of one object each.

A content makes bodies without identity: name, namespace, labels and op-id are given by `fleet.workload.objects`.
"""

from __future__ import annotations

import random
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fleet.kube import resources
from fleet.kube.resources import Resource
from fleet.model.duration import shown as duration
from fleet.model.experiment_file import Workload

IMAGE = "registry.invalid/fake:1"
"""Never pulled: kwok plays the pods. The `.invalid` domain makes sure of it."""
PADDING_ANNOTATION = "fleet-testbed/padding"
LIFETIME_ANNOTATION = "fleet-testbed/lifetime"
"""On a Pod: how long after it became ready kwok completes it, a Go duration. `fleet.simulators.kwok.stages` read it."""
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
    """One deployment, pod or config map per copy, padded to carry so many bytes more."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self.name = str(workload.kind)
        self.resources: tuple[Resource, ...] = (_RESOURCES[workload.kind],)
        self.crds: tuple[Mapping[str, Any], ...] = ()
        self.size = 1

    def bodies(self, place: Place) -> Sequence[Body]:
        """The one object."""
        resource = self.resources[0]
        manifest: dict[str, Any] = {"apiVersion": resource.api_version, "kind": resource.kind}
        annotations: dict[str, str] = {}
        padding = random_text(self._workload.bytes, place.name)
        if resource == resources.CONFIGMAPS:
            manifest["data"] = {"op": place.op} | ({"padding": padding} if padding else {})
        else:
            manifest["spec"] = self._deployment(place) if resource == resources.DEPLOYMENTS else self._pod()
            if padding:
                annotations[PADDING_ANNOTATION] = padding
        if self._workload.lifetime is not None:
            annotations[LIFETIME_ANNOTATION] = duration(self._workload.lifetime)
        if annotations:
            manifest["metadata"] = {"annotations": annotations}
        return [Body(resource, place.name, manifest)]

    def _deployment(self, place: Place) -> dict[str, Any]:
        # The template carries no label of the run: ReplicaSets and pods stay out of the watches that select by it.
        labels = {"app": place.name}
        return {
            "replicas": self._workload.pods,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": self._pod_spec()},
        }

    def _pod(self) -> dict[str, Any]:
        # The WDS has no kubelet: a grace period would keep the deleted pod there for ever.
        spec = self._pod_spec() | {"terminationGracePeriodSeconds": 0}
        return spec if self._workload.lifetime is None else spec | {"restartPolicy": "Never"}

    def _pod_spec(self) -> dict[str, Any]:
        # No token: the fake pod calls nothing, and the volume would only make the ManifestWork larger.
        requests = {"requests": {"cpu": "1m", "memory": "1Mi"}}
        return {
            "automountServiceAccountToken": False,
            "containers": [{"name": self.name, "image": IMAGE, "resources": requests}],
        }


_RESOURCES: Mapping[str, Resource] = {
    "deployment": resources.DEPLOYMENTS,
    "pod": resources.PODS,
    "configmap": resources.CONFIGMAPS,
}
