"""What kwok plays. Pods: ready at once, ended after the lifetime and with the exit code that a pod requests, deleted
when asked. Nodes: ready at once, their status reported as often as a kubelet reports it.

kwok's own fast stages end only the pods of Jobs, and always well. Its stage of Node that it takes with leases is the
one meant for nodes without (it reports every 20 to 25 s). Given any stage of a kind it loads none of its own for that
kind, so all are here.
"""

from __future__ import annotations

import json
from typing import Any

LIFETIME = "fleet-testbed/lifetime"
"""Annotation of a Pod: how long after it is ready it ends, a Go duration. Hollow nodes read it too, and the next."""
EXIT_CODE = "fleet-testbed/exit-code"
"""Annotation of a Pod: what its containers end with, from 0 to 255; 0 without it. Above 0 the Pod has Failed."""
STATUS_SECONDS = (300, 330)
"""A kubelet reports the status of a node that has not changed every 5 minutes (nodeStatusReportFrequency); kwok after a
random time from the first to the second, so that nodes which were made together do not report together."""

_CONTAINERS = """\
containerStatuses:
{{ range .spec.containers }}
- image: {{ .image | Quote }}
  name: {{ .name | Quote }}
  ready: %(ready)s
  restartCount: 0
  started: %(ready)s
  state:
    %(state)s
{{ end }}
"""
_RUNNING = (
    """\
{{ $now := Now }}
conditions:
{{ range $type := list "Initialized" "Ready" "ContainersReady" }}
- {lastTransitionTime: {{ $now | Quote }}, status: "True", type: {{ $type }}}
{{ end }}
{{ range .spec.readinessGates }}
- {lastTransitionTime: {{ $now | Quote }}, status: "True", type: {{ .conditionType | Quote }}}
{{ end }}
"""
    + _CONTAINERS % {"ready": "true", "state": "running: {startedAt: {{ $now | Quote }}}"}
    + """\
{{ with .spec.initContainers }}
initContainerStatuses:
{{ range . }}
- image: {{ .image | Quote }}
  name: {{ .name | Quote }}
  ready: true
  restartCount: 0
  state:
    terminated: {exitCode: 0, finishedAt: {{ $now | Quote }}, reason: Completed, startedAt: {{ $now | Quote }}}
{{ end }}
{{ end }}
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
{{ $own := or .spec.hostNetwork false }}
{{ with .metadata }}
podIP: {{ PodIPWith $.spec.nodeName $own (or .uid "") (or .name "") (or .namespace "") | Quote }}
{{ end }}
phase: Running
startTime: {{ $now | Quote }}
"""
)
_DONE = (
    f"""\
{{{{ $code := int (get (or .metadata.annotations (dict)) "{EXIT_CODE}") }}}}
"""
    """\
{{ $now := Now }}
conditions:
{{ range $type := list "Ready" "ContainersReady" }}
- {lastTransitionTime: {{ $now | Quote }}, status: "False", reason: PodCompleted, type: {{ $type }}}
{{ end }}
- {lastTransitionTime: {{ $now | Quote }}, status: "True", reason: PodCompleted, type: Initialized}
"""
    + _CONTAINERS
    % {
        "ready": "false",
        "state": "terminated: {exitCode: {{ $code }}, finishedAt: {{ $now | Quote }},"
        """ reason: {{ if eq $code 0 }}Completed{{ else }}Error{{ end }}}""",
    }
    + """\
phase: {{ if eq $code 0 }}Succeeded{{ else }}Failed{{ end }}
"""
)
_CONDITIONS = """\
{{ $now := Now }}
{{ $since := or .metadata.creationTimestamp $now }}
conditions:
{{ range NodeConditions }}
- lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $since | Quote }}
  message: {{ .message | Quote }}
  reason: {{ .reason | Quote }}
  status: {{ .status | Quote }}
  type: {{ .type | Quote }}
{{ end }}
"""
_NODE_READY = (
    _CONDITIONS
    + """\
addresses:
{{ with .status.addresses }}
{{ YAML . 1 }}
{{ else }}
{{ with NodeIP }}
- {address: {{ . | Quote }}, type: InternalIP}
{{ end }}
- {address: {{ .metadata.name | Quote }}, type: Hostname}
{{ end }}
nodeInfo:
  architecture: amd64
  bootID: ""
  containerRuntimeVersion: {{ printf "kwok-%s" Version }}
  kernelVersion: {{ printf "kwok-%s" Version }}
  kubeProxyVersion: {{ printf "kwok-%s" Version }}
  kubeletVersion: {{ printf "kwok-%s" Version }}
  machineID: ""
  operatingSystem: linux
  osImage: ""
  systemUUID: ""
phase: Running
"""
)
_LIFETIME_OF = f'.metadata.annotations["{LIFETIME}"]'
_READY_OF = '.status.conditions.[] | select( .type == "Ready" ) | .status'
_ALIVE = {"key": ".metadata.deletionTimestamp", "operator": "DoesNotExist"}


def _stage(name: str, expressions: list[dict[str, Any]], kind: str = "Pod", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": kind},
            "selector": {"matchExpressions": expressions},
            **spec,
        },
    }


def _phase(*phases: str) -> dict[str, Any]:
    return {"key": ".status.phase", "operator": "In", "values": list(phases)}


STAGES: tuple[dict[str, Any], ...] = (
    _stage(
        "pod-ready",
        [_ALIVE, {"key": ".status.podIP", "operator": "DoesNotExist"}],
        next={"statusTemplate": _RUNNING},
    ),
    _stage(
        "pod-complete-job",
        [
            _ALIVE,
            _phase("Running"),
            {"key": ".metadata.ownerReferences.[].kind", "operator": "In", "values": ["Job"]},
            {"key": _LIFETIME_OF, "operator": "DoesNotExist"},
        ],
        next={"statusTemplate": _DONE},
    ),
    _stage(
        "pod-complete-lifetime",
        [_ALIVE, _phase("Running"), {"key": _LIFETIME_OF, "operator": "Exists"}],
        delay={"durationFrom": {"expressionFrom": _LIFETIME_OF}},
        next={"statusTemplate": _DONE},
    ),
    _stage(
        "pod-delete",
        [{"key": ".metadata.deletionTimestamp", "operator": "Exists"}],
        next={"finalizers": {"empty": True}, "delete": True},
    ),
    _stage(
        "node-ready",
        [{"key": _READY_OF, "operator": "NotIn", "values": ["True"]}],
        "Node",
        next={"statusTemplate": _NODE_READY},
    ),
    _stage(
        "node-status",
        [_phase("Running"), {"key": _READY_OF, "operator": "In", "values": ["True"]}],
        "Node",
        delay={
            "durationMilliseconds": 1000 * STATUS_SECONDS[0],
            "jitterDurationMilliseconds": 1000 * STATUS_SECONDS[1],
        },
        next={"statusTemplate": _CONDITIONS},
        immediateNextStage=True,
    ),
)


def config() -> str:
    """kwok's --config file: JSON documents, which are YAML."""
    return "---\n".join(f"{json.dumps(stage, indent=1)}\n" for stage in STAGES)
