"""What is in the WECs, and what is added while a page is watched, as bodies to be created."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

IMAGE = "registry.example/pause:3.10"
"""Named, and pulled by nobody."""
APP = "app"
TEXT = "A message as long as those of events are, about something that did not happen to an object that is not there."


@dataclass(frozen=True)
class Maker:
    """Makes bodies of one run in one namespace."""

    namespace: str
    labels: Mapping[str, str]

    def deployment(self, name: str) -> dict[str, Any]:
        """Of one replica."""
        own = {**self.labels, APP: name}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": self._meta(name),
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {APP: name}},
                "template": {"metadata": {"labels": own}, "spec": self._pod_spec()},
            },
        }

    def pod(self, name: str, node: str = "") -> dict[str, Any]:
        """One by itself; without a node the scheduler finds one."""
        spec = {**self._pod_spec(), **({"nodeName": node} if node else {})}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": self._meta(name), "spec": spec}

    def node(self, name: str) -> dict[str, Any]:
        """One that nothing plays and nothing fits on."""
        metadata = {"name": name, "labels": {**self.labels, "kubernetes.io/hostname": name}}
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "as made"}
        return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": {"conditions": [ready]}}

    def event(self, name: str) -> dict[str, Any]:
        """A warning."""
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": self._meta(name),
            "type": "Warning",
            "reason": "UiLoad",
            "message": TEXT,
            "involvedObject": {"kind": "Pod", "namespace": self.namespace, "name": name},
        }

    def _meta(self, name: str) -> dict[str, Any]:
        return {"name": name, "namespace": self.namespace, "labels": dict(self.labels)}

    @staticmethod
    def _pod_spec() -> dict[str, Any]:
        requests = {"cpu": "1m", "memory": "1Mi"}
        return {"containers": [{"name": "app", "image": IMAGE, "resources": {"requests": requests}}]}
