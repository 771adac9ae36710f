"""What the ITS and the WDS are to KubeStellar: ControlPlanes and Secrets in the core cluster, which is the ITS."""

from __future__ import annotations

import base64
from typing import Any

from fleet.install.objects import Ledger, ensure, namespace
from fleet.kube.client import KubeClient
from fleet.kube.resources import CONTROL_PLANES, NAMESPACES, SECRETS
from fleet.managers.kubestellar import names

KEY = "kubeconfig"
"""Key of the Secret that programs outside of pods read."""
INSIDE_KEY = "kubeconfig-incluster"
"""The schema requires it; nothing here runs in a pod, so it holds the same."""


def system_namespace(space: str) -> str:
    """KubeFlex's namespace of a control plane."""
    return f"{space}-system"


def secret(space: str, kubeconfig: bytes) -> dict[str, Any]:
    """The Secret that a ControlPlane's status refers to."""
    content = base64.b64encode(kubeconfig).decode("ascii")
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": names.CP_SECRET, "namespace": system_namespace(space)},
        "type": "Opaque",
        "data": {KEY: content, INSIDE_KEY: content},
    }


def control_plane(space: str, role: str) -> dict[str, Any]:
    """A ControlPlane as KubeStellar's controller-manager looks it up; `role` is `its` or `wds`.

    The ITS is the core cluster itself, which KubeFlex calls `host`; the WDS is a cluster that KubeFlex did not make.
    `conditions` and `observedGeneration` are required once there is a status.
    """
    return {
        "apiVersion": CONTROL_PLANES.api_version,
        "kind": CONTROL_PLANES.kind,
        "metadata": {"name": space, "labels": {names.CP_TYPE_LABEL: role}},
        "spec": {"type": "host" if role == "its" else "external", "backend": "shared"},
        "status": {
            "conditions": [],
            "observedGeneration": 1,
            "secretRef": {
                "namespace": system_namespace(space),
                "name": names.CP_SECRET,
                "key": KEY,
                "inClusterKey": INSIDE_KEY,
            },
        },
    }


async def ensure_space(core: KubeClient, space: str, role: str, kubeconfig: bytes, ledger: Ledger) -> bool:
    """Namespace, Secret and ControlPlane of one space; True when any had to change."""
    manifest = control_plane(space, role)
    changed = [
        await ensure(core, NAMESPACES, namespace(system_namespace(space)), ledger),
        await ensure(core, SECRETS, secret(space, kubeconfig), ledger),
        await ensure(core, CONTROL_PLANES, manifest, ledger, status=True),
    ]
    return any(changed)
