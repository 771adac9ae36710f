"""The VMI and the VM of KubeVirt's density test, as bodies to be created."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.platforms.kubevirt import names

IMAGE = "quay.io/kubevirt/cirros-container-disk-demo:v1.8.0"
"""Named, and pulled by nobody."""
_TOLERATIONS = (
    {"key": "CriticalAddonsOnly", "operator": "Exists"},
    {"key": "kwok.x-k8s.io/node", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "kwok.x-k8s.io/node", "operator": "Exists", "effect": "NoExecute"},
)
_SPEC: Mapping[str, Any] = {
    "nodeSelector": {"type": "kwok"},
    "tolerations": _TOLERATIONS,
    "domain": {
        "devices": {
            "disks": [
                {"name": "disk0", "disk": {"bus": "virtio"}},
                {"name": "cloudinit", "disk": {"bus": "virtio"}},
            ],
            "interfaces": [{"name": "default", "masquerade": {}}],
        },
        "resources": {
            "requests": {"cpu": "100m", "memory": "90Mi"},
            "limits": {"cpu": "100m", "memory": "90Mi"},
        },
    },
    "networks": [{"name": "default", "pod": {}}],
    "volumes": [
        {"name": "disk0", "containerDisk": {"image": IMAGE}},
        {"name": "cloudinit", "cloudInitNoCloud": {"userData": "#!/bin/sh\necho started\n"}},
    ],
}
"""One container disk, one masqueraded interface, 100m and 90Mi, on simulated nodes."""


def vmi(name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """A VirtualMachineInstance."""
    return {
        "apiVersion": names.VMIS.api_version,
        "kind": names.VMIS.kind,
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": _SPEC,
    }


def vm(name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """A VirtualMachine that always runs; its VMI has the same labels."""
    return {
        "apiVersion": names.VMS.api_version,
        "kind": names.VMS.kind,
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": {"runStrategy": "Always", "template": {"metadata": {"labels": dict(labels)}, "spec": _SPEC}},
    }
