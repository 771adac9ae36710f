"""The namespace, Secrets and Deployments of hollow nodes in a WEC: made, replaced, deleted, waited for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fleet.errors import DeadlineError
from fleet.host.change import Change
from fleet.host.https import Endpoint
from fleet.host.machine import Machine
from fleet.simulators.group import POLL
from fleet.simulators.hollow import objects
from fleet.simulators.hollow.program import Part
from fleet.simulators.node_objects import CONFLICT, CREATED, NOT_FOUND, OK, expect

ACCEPTED = 202
END_SECONDS = 180.0
"""For pods and their namespace to be gone: by the real node's kubelet and the controllers of the WEC."""
LINES = 15
"""Of a pod's log in an error."""


class Objects:
    """Of one WEC; with `machine.check` they are only looked at."""

    def __init__(self, machine: Machine, cluster: str, endpoint: Endpoint) -> None:
        self._check = machine.check
        self._cluster = cluster
        self._endpoint = endpoint

    def namespace(self) -> Change:
        """Make it."""
        found = self._ask("GET", f"{objects.NAMESPACES}/{objects.NAMESPACE}", OK, NOT_FOUND)
        if found is not None:
            return Change.none()
        if not self._check:
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": objects.NAMESPACE}}
            self._ask("POST", objects.NAMESPACES, CREATED, CONFLICT, body=body)
        return Change({}, {f"namespace {self._cluster}/{objects.NAMESPACE}": "pods"})

    def ensure(self, body: Mapping[str, Any]) -> Change:
        """Make it, or replace one that is made of something else."""
        kind, name = body["kind"], body["metadata"]["name"]
        path = objects.KINDS[kind][1]
        found = self._ask("GET", f"{path}/{name}", OK, NOT_FOUND)
        before, after = ("" if found is None else _described(found)), _described(body)
        if before == after:
            return Change.none()
        if not self._check and found is None:
            self._ask("POST", path, CREATED, body=body)
        elif not self._check:
            self._ask("PUT", f"{path}/{name}", OK, body=body)
        key = f"{kind.lower()} {self._cluster}/{name}"
        return Change({key: before} if before else {}, {key: after})

    def only(self, parts: Sequence[Part]) -> Change:
        """Delete those of pods that there shall be no more, and wait until they have ended."""
        kept = {objects.name_of(part) for part in parts}
        before = {}
        for kind, (_, path) in objects.KINDS.items():
            for name in sorted(set(self._names(path)) - kept):
                before[f"{kind.lower()} {self._cluster}/{name}"] = "present"
                if not self._check:
                    self._ask("DELETE", f"{path}/{name}", OK, ACCEPTED, NOT_FOUND)
        for key in before:
            name = key.rpartition("/")[2]
            if not self._check:
                until_gone(self._cluster, self._endpoint, f"{objects.PODS_PATH}?labelSelector={objects.LABEL}%3D{name}")
        return Change(before, {})

    def until_available(self, parts: Sequence[Part], seconds: float) -> None:
        """Until the pods of these Deployments run as they are now: nodes of pods before them stay Ready for a while."""
        waiting, deadline = [objects.name_of(part) for part in parts], time.monotonic() + seconds
        while waiting:
            if _available(self._ask("GET", f"{objects.DEPLOYMENTS}/{waiting[0]}", OK)):
                waiting.pop(0)
                continue
            if time.monotonic() > deadline:
                late = f"{self._cluster}: the pod of {waiting[0]} did not run within {seconds:.0f} s"
                raise DeadlineError(f"{late}\n{said(self._endpoint)}")
            time.sleep(POLL)

    def _names(self, path: str) -> Iterator[str]:
        found = self._ask("GET", path, OK, NOT_FOUND) or {}
        for one in found.get("items") or []:
            if objects.DIGEST in (one["metadata"].get("annotations") or {}):
                yield one["metadata"]["name"]

    def _ask(self, method: str, path: str, *statuses: int, body: Mapping[str, Any] | None = None) -> Any:
        """The answer; None of what is not there. HostError when it is refused."""
        answer = self._endpoint.request(method, path, body)
        expect(self._cluster, answer, *statuses)
        return None if answer.status == NOT_FOUND else answer.json()


def _described(body: Mapping[str, Any]) -> str:
    """Of what it is made, and of a Deployment how many pods."""
    digest = (body["metadata"].get("annotations") or {}).get(objects.DIGEST, "by others")
    replicas = body.get("spec", {}).get("replicas")
    return digest if replicas is None else f"{digest}, {replicas} pods"


def _available(deployment: Mapping[str, Any]) -> bool:
    """Whether its one pod runs, and is of what it says now."""
    status = deployment.get("status") or {}
    seen = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    return seen and status.get("updatedReplicas") == status.get("availableReplicas") == status.get("replicas") == 1


def until_gone(cluster: str, endpoint: Endpoint, path: str) -> None:
    """Until an object is not found, or a list empty."""
    deadline = time.monotonic() + END_SECONDS
    while True:
        answer = endpoint.request("GET", path)
        expect(cluster, answer, OK, NOT_FOUND)
        if answer.status == NOT_FOUND or answer.json().get("items") == []:
            return
        if time.monotonic() > deadline:
            raise DeadlineError(f"{cluster}: {path} was still there after {END_SECONDS:.0f} s")
        time.sleep(POLL)


def said(endpoint: Endpoint) -> str:
    """States of the pods and the last lines of their logs, for an error."""
    lines = []
    for pod in endpoint.request("GET", objects.PODS_PATH).json().get("items") or []:
        name, status = pod["metadata"]["name"], pod.get("status", {})
        states = [next(iter(one["state"].items()), "") for one in status.get("containerStatuses") or []]
        log = endpoint.request("GET", f"{objects.PODS_PATH}/{name}/log?tailLines={LINES}")
        lines.append(f"pod {name} is {status.get('phase')} {states}:\n{log.text(4000)}")
    return "\n".join(lines) or f"there is no pod in {objects.NAMESPACE}"
