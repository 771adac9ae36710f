"""Hollow nodes as pods: for each process a Secret with the credentials of its nodes, and a Deployment of one pod."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fleet.host.pods import PodProgram
from fleet.host.weight import MIB
from fleet.simulators.hollow.program import COMPONENT, CPU, MEMORY_GIB, PODS, PREFIX, Part, node_names
from fleet.simulators.hollow.weights import memory

NAMESPACE = "fleet-testbed-hollow"
NAMESPACES = "/api/v1/namespaces"
SECRETS = f"{NAMESPACES}/{NAMESPACE}/secrets"
PODS_PATH = f"{NAMESPACES}/{NAMESPACE}/pods"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
LABEL = "app.kubernetes.io/instance"
"""Of a pod: which Deployment's."""
DIGEST = "fleet-testbed/digest"
"""Annotation: of all that a Secret and a Deployment were made of."""
CREDENTIALS, FILES = "/credentials", "/files"
"""Mounts of a pod: its Secret, and an empty folder."""
PROXY = "kube-proxy"
PORT = 10250
"""A kubelet's own: each pod has an address of its own, so only the nodes of one pod share ports."""
API_PORT = 6443
"""kubeadm's, on the node that the pod runs on, which is the control plane's."""
KINDS = {"Secret": ("v1", SECRETS), "Deployment": ("apps/v1", DEPLOYMENTS)}


@dataclass(frozen=True)
class Shared:
    """What is the same for all pods of a control plane."""

    image: str
    environment: Mapping[str, str]
    flags: Sequence[str]
    """The user's."""


def pod_program(cluster: str, part: Part) -> PodProgram:
    """As it is recorded."""
    return PodProgram(part.program(cluster), COMPONENT, NAMESPACE, name_of(part), argument_of(part))


def name_of(part: Part) -> str:
    """Of its Secret, its Deployment and that one's container."""
    return f"{COMPONENT}-{part.index}"


def argument_of(part: Part) -> str:
    """The flag with the file of its settings, which no other process has."""
    return f"--config={CREDENTIALS}/{name_of(part)}.json"


def identities(part: Part) -> list[str]:
    """Names of the pairs of certificate and key that its Secret has: of each node's kubelet, and of the proxies."""
    return [*node_names(part.first + part.count - 1)[part.first - 1 :], PROXY]


def settings(part: Part) -> str:
    """What the process reads; its API server and address are flags, because only the pod knows them."""
    document = {
        "ca": f"{CREDENTIALS}/ca.crt",
        "credentials": CREDENTIALS,
        "port": PORT,
        "prefix": PREFIX,
        "first": part.first,
        "count": part.count,
        "root": f"{FILES}/nodes",
        "admin_socket": f"{FILES}/admin.sock",
        "cpu": CPU,
        "memory": MEMORY_GIB << 30,
        "pods": PODS,
        "events": True,  # a node of a cluster has the kernel's log: its own kubelet needs it
    }
    return json.dumps(document, indent=1, sort_keys=True)


def secret(part: Part, files: Mapping[str, bytes]) -> dict[str, Any]:
    """`files` are the credentials by name; at most 250 nodes of 1 KiB each, of the 1 MiB that a Secret holds."""
    whole = {**files, f"{name_of(part)}.json": settings(part).encode()}
    data = {name: base64.b64encode(content).decode() for name, content in sorted(whole.items())}
    return _object("Secret", part, {"type": "Opaque", "data": data}, digest_of(data))


def deployment(part: Part, shared: Shared, credentials: str) -> dict[str, Any]:
    """Of one pod, because a node has one name. `credentials`: digest of its Secret, with which the pod is made
    again."""
    labels = {LABEL: name_of(part)}
    pod = _pod(part, shared)
    digest = digest_of([pod, credentials])
    template = {"metadata": {"labels": labels, "annotations": {DIGEST: digest}}, "spec": pod}
    spec = {
        "replicas": 1,
        "minReadySeconds": 2,  # a process that cannot start ends sooner, and was never available
        "strategy": {"type": "Recreate"},  # two pods with the same nodes would take them from each other
        "selector": {"matchLabels": labels},
        "template": template,
    }
    return _object("Deployment", part, {"spec": spec}, digest)


def digest_of(content: object) -> str:
    """Of JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _object(kind: str, part: Part, rest: Mapping[str, Any], digest: str) -> dict[str, Any]:
    metadata = {"name": name_of(part), "namespace": NAMESPACE, "annotations": {DIGEST: digest}}
    return {"apiVersion": KINDS[kind][0], "kind": kind, "metadata": metadata, **rest}


def _pod(part: Part, shared: Shared) -> dict[str, Any]:
    places = {"POD_IP": "status.podIP", "HOST_IP": "status.hostIP"}
    environment = [
        *({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in places.items()),
        *({"name": name, "value": value} for name, value in sorted(shared.environment.items())),
    ]
    arguments = [argument_of(part), f"--server=https://$(HOST_IP):{API_PORT}", "--address=$(POD_IP)", *shared.flags]
    container = {
        "name": name_of(part),
        "image": shared.image,
        "imagePullPolicy": "Never",
        "args": arguments,
        "env": environment,
        "securityContext": {"privileged": True},  # for the kernel's log
        "resources": {"requests": {"memory": f"{memory(part.count) // MIB}Mi"}},
        "volumeMounts": [
            {"name": "credentials", "mountPath": CREDENTIALS, "readOnly": True},
            {"name": "files", "mountPath": FILES},
        ],
    }
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "nodeSelector": {"node-role.kubernetes.io/control-plane": ""},
        "tolerations": [{"operator": "Exists"}],
        "terminationGracePeriodSeconds": 1,
        "containers": [container],
        "volumes": [
            {"name": "credentials", "secret": {"secretName": name_of(part), "defaultMode": 0o400}},
            {"name": "files", "emptyDir": {}},
        ],
    }
