"""What kwok plays on VMIs in virt-handler's place: running as soon as they are scheduled, gone when they are deleted.

As in KubeVirt's own density test: no delay, and patched as virt-controller: a webhook lets nobody else change a status.
"""

from __future__ import annotations

import json
from typing import Any

from fleet.platforms.kubevirt import names

NODE_LABEL = "kwok"
"""A VMI runs by these stages when its `nodeSelector` has `type: kwok`."""
# In whole seconds, and no stamp left out: virt-controller patches conditions only where they still are what it read,
# and so it reads them. With kwok's `Now`, as in KubeVirt's own stage, each of its patches is answered with 422.
_RUNNING = """\
{{ $now := dateInZone "2006-01-02T15:04:05Z" now "UTC" }}
phase: Running
conditions:
- {type: Ready, status: "True", lastProbeTime: {{ $now | Quote }}, lastTransitionTime: {{ $now | Quote }}}
guestOSInfo: {}
nodeName: {{ .status.nodeName | Quote }}
phaseTransitionTimestamps:
{{ range .status.phaseTransitionTimestamps }}
- {phase: {{ .phase | Quote }}, phaseTransitionTimestamp: {{ .phaseTransitionTimestamp | Quote }}}
{{ end }}
- {phase: Running, phaseTransitionTimestamp: {{ $now | Quote }}}
"""


def _stage(name: str, expressions: list[dict[str, Any]], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": names.VMIS.api_version, "kind": names.VMIS.kind},
            "selector": {"matchExpressions": expressions},
            **spec,
        },
    }


STAGES: tuple[dict[str, Any], ...] = (
    _stage(
        "vmi-running",
        [
            {"key": ".metadata.deletionTimestamp", "operator": "DoesNotExist"},
            {"key": ".status.phase", "operator": "In", "values": ["Scheduled"]},
            {"key": ".spec.nodeSelector.type", "operator": "In", "values": [NODE_LABEL]},
        ],
        next={
            "statusTemplate": _RUNNING,
            "statusSubresource": "",
            "statusPatchAs": {"username": names.user(names.CONTROLLER)},
        },
    ),
    _stage(
        "vmi-delete",
        [{"key": ".metadata.deletionTimestamp", "operator": "Exists"}],
        next={"finalizers": {"empty": True}, "delete": True},
    ),
)


def config() -> str:
    """kwok's --config file: JSON documents, which are YAML."""
    return "---\n".join(f"{json.dumps(stage, indent=1)}\n" for stage in STAGES)
