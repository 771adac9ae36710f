"""What makes WECs of plain processes small at rest, and how a report says it."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.host.plan import ControlPlane
from fleet.model.variables import Variables

SETTLED_GOGC = "KUBE_SETTLED_GOGC"
"""GOGC once a program of ours has started.

GOGC itself is for the start: a small one costs more than the start does, and the garbage of a large one lies between
what stays, in pages that never go back to the kernel.
"""
WEC_ENV = {
    "etcd": {"GOGC": "40", SETTLED_GOGC: "20"},
    "kube-apiserver": {"GOGC": "25", SETTLED_GOGC: "20"},
    "kube-controller-manager": {"GOGC": "40", SETTLED_GOGC: "20"},
    "kube-scheduler": {"GOGC": "40", SETTLED_GOGC: "20"},
}
"""WECs of a manager are many and idle, so the garbage between two collections is most of their memory.

An idle API server has 88 MB of live heap. Under load it takes up to 2.4 times the CPU that it takes at Go's default of
100 (2,000 pods bound as fast as kube-scheduler can: 25.1 ms for each instead of 10.3).
"""


def own_environment(plane: ControlPlane, component: str) -> Mapping[str, str]:
    """What we give a program before the user's; the user's own GOGC holds from the start on."""
    user = plane.extra.environment(component, {})
    return {} if plane.as_shipped or "GOGC" in user else WEC_ENV[component]


def differs(variables: Variables) -> str:
    """Part of a sentence about the WECs of a fleet with these variables."""
    user = {**variables.control_plane_env, **variables.control_plane_apiserver_env}.get("GOGC")
    if variables.wecs_under_test:
        return "each as upstream ships its programs" + (f", but GOGC={user}" if user else "")
    percent = user or WEC_ENV["kube-apiserver"][SETTLED_GOGC]
    return f"small at rest: garbage collected at GOGC={percent} (Go's default: 100), two polls of API servers off"
