"""metrics-server over hollow nodes: an autoscaler follows what pods are reported to use.

`make test-platforms` runs it, as it builds the program.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from fleet.host.https import Answer
from tests.live.conftest import state_folder
from tests.live.lab import Lab
from tests.live.waiting import until

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("platforms"),
    pytest.mark.skipif(os.environ.get("FLEET_TEST_PLATFORMS") != "1", reason="minutes: `make test-platforms` runs it"),
]

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
AUTOSCALERS = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
LABELS = {"app": "web"}
CONTAINER = {"name": "main", "image": "none", "resources": {"requests": {"cpu": "100m"}}}
SCALED_SECONDS = 300.0
"""An autoscaler looks every 15 s, and does not believe a pod's CPU in its first 30 s."""


def deployment(cpu: str) -> Mapping[str, Any]:
    """One replica, whose pods are reported to use so much."""
    template = {
        "metadata": {"labels": LABELS, "annotations": {"fleet-testbed/cpu": cpu}},
        "spec": {"containers": [CONTAINER]},
    }
    return {
        "metadata": {"name": "web"},
        "spec": {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": template},
    }


AUTOSCALER = {
    "metadata": {"name": "web"},
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": 1,
        "maxReplicas": 4,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
            }
        ],
    },
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One WEC of three hollow nodes with metrics-server; the first test builds it."""
    variables = {
        "manager": "none", "wec_count": 1, "wec_nodes": 3, "node_simulator": "hollow", "platform": ["metrics-server"]
    }  # fmt: skip
    with state_folder() as state:
        made = Lab("t-hpa", state, variables)
        try:
            yield made
        finally:
            made.playbook("playbooks/teardown.yml").check()
            assert made.processes() == []


def ask(lab: Lab, path: str, method: str = "GET", body: Mapping[str, Any] | None = None) -> Answer:
    """The WEC's API server, as its admin."""
    return lab.endpoint("wec001").request(method, path, body)


def test_it_is_built_and_knows_the_usage_of_nodes(lab: Lab) -> None:
    lab.playbook("site.yml").check()
    nodes = ask(lab, "/apis/metrics.k8s.io/v1beta1/nodes").json()["items"]
    assert {node["metadata"]["name"] for node in nodes} <= {"hollow-001", "hollow-002", "hollow-003"}
    assert nodes


def test_an_autoscaler_scales_out_to_its_most(lab: Lab) -> None:
    """400 % of what they request, at a target of 50 %."""
    ask(lab, DEPLOYMENTS, "POST", deployment("400m"))
    ask(lab, AUTOSCALERS, "POST", AUTOSCALER)

    def ready() -> int:
        return int(ask(lab, f"{DEPLOYMENTS}/web").json()["status"].get("readyReplicas", 0))

    until("four pods are there", lambda: ready() == 4, seconds=SCALED_SECONDS)
    status = ask(lab, f"{AUTOSCALERS}/web").json()["status"]
    assert status["desiredReplicas"] == 4
    assert status["currentMetrics"][0]["resource"]["current"]["averageUtilization"] > 50
