"""What kwok plays on pods: ready at once, completed after the lifetime that a pod asks for, deleted when asked.

kwok's own fast stages complete only the pods of Jobs. Given any stage of Pod it loads none of its own, so all four are
here; those of Node stay kwok's.
"""

from __future__ import annotations

import json
from typing import Any

LIFETIME = "fleet-testbed/lifetime"
"""Annotation of a Pod: how long after it is ready it has Succeeded, a Go duration."""

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
        "state": "terminated: {exitCode: 0, finishedAt: {{ $now | Quote }}, reason: Completed}",
    }
    + """\
phase: Succeeded
"""
)
_ALIVE = {"key": ".metadata.deletionTimestamp", "operator": "DoesNotExist"}


def _stage(name: str, expressions: list[dict[str, Any]], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": "Pod"},
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
        [_ALIVE, _phase("Running"), {"key": ".metadata.ownerReferences.[].kind", "operator": "In", "values": ["Job"]}],
        next={"statusTemplate": _DONE},
    ),
    _stage(
        "pod-complete-lifetime",
        [_ALIVE, _phase("Running"), {"key": f'.metadata.annotations["{LIFETIME}"]', "operator": "Exists"}],
        delay={"durationFrom": {"expressionFrom": f'.metadata.annotations["{LIFETIME}"]'}},
        next={"statusTemplate": _DONE},
    ),
    _stage(
        "pod-delete",
        [{"key": ".metadata.deletionTimestamp", "operator": "Exists"}],
        next={"finalizers": {"empty": True}, "delete": True},
    ),
)


def config() -> str:
    """kwok's --config file: JSON documents, which are YAML."""
    return "---\n".join(f"{json.dumps(stage, indent=1)}\n" for stage in STAGES)
