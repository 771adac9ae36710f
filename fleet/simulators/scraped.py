"""Nodes as Prometheus scrapes them: entries of a list of targets that it reads again (`file_sd`).

The role's lists and those of an experiment are files alongside each other in one folder; one job reads both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from fleet.model.fleet_file import Component
from fleet.simulators.simulator import known, simulator

Way = Literal["proxy", "direct"]
"""Through the API server, or to the port of the kubelet."""

PROMETHEUS = "prometheus"
"""The component."""
JOB = "nodes"
FILE, TRIAL_FILE = f"{JOB}.json", f"{JOB}-trial.json"
"""Lists of the role `monitoring`, and of an experiment while it measures."""
PAGES = {"metrics": "/metrics", "resource": "/metrics/resource"}
"""Those of a kubelet's pages that are in Prometheus' format."""


@dataclass(frozen=True)
class Kubelet:
    """Where that of a node listens."""

    name: str
    address: str
    port: int


def kubelet_of(node: Mapping[str, Any]) -> Kubelet:
    """From a Node object."""
    status = node["status"]
    address = next(one["address"] for one in status["addresses"] if one["type"] == "InternalIP")
    return Kubelet(node["metadata"]["name"], address, int(status["daemonEndpoints"]["kubeletEndpoint"]["Port"]))


def labels_of_kubelets() -> list[str]:
    """Values of `NODE_LABEL` on nodes that have a kubelet, of every simulator."""
    found = (simulator(name) for name in known())
    return sorted({one.value for one in found if one.kubelets and one.value})


def target(cluster: str, server: str, kubelet: Kubelet, page: str, way: Way) -> dict[str, Any]:
    """One page of one node; `server` is the URL of its API server."""
    path = PAGES[page]
    host = f"{kubelet.address}:{kubelet.port}"
    if way == "proxy":
        host, path = urlsplit(server).netloc, f"/api/v1/nodes/{kubelet.name}/proxy{path}"
    labels = {
        "instance": kubelet.name, "cluster": cluster, "node": kubelet.name, "page": page, "way": way,
        "__metrics_path__": path,
    }  # fmt: skip
    return {"targets": [host], "labels": labels}


def targets_folder(root: Path) -> Path:
    """Where Prometheus reads its lists; `root` is a machine's folder of a fleet."""
    return root / "monitoring" / "targets"


def address_of(component: Component) -> str:
    """URL of a running Prometheus of the fleet file; empty for another program."""
    for word in component.argv:
        if component.component == PROMETHEUS and word.startswith("--web.listen-address="):
            return f"http://{word.partition('=')[2]}"
    return ""


def first_address(components: Iterable[Component], machine: str) -> str:
    """URL of the Prometheus of a machine; empty where there is none."""
    return next((url for one in components if one.machine == machine and (url := address_of(one))), "")
