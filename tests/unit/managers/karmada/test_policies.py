"""PropagationPolicies: what they select, and where to."""

from __future__ import annotations

from fleet.kube.resources import CONFIGMAPS, DEPLOYMENTS
from fleet.managers.karmada.policies import propagation_policy
from fleet.managers.manager import Policy

POLICY = Policy(
    name="fx-g00-all", target="all", clusters=("wec001", "wec002"), layout="one-to-many",
    resources=(DEPLOYMENTS, CONFIGMAPS), namespace="fleet-run-x", labels=(("fleet-testbed/run", "x"),), source="hub",
)  # fmt: skip


def test_it_selects_by_its_label_in_each_kind_and_names_its_wecs() -> None:
    write = propagation_policy(POLICY)
    assert (write.name, write.namespace) == ("fx-g00-all", "fleet-run-x")
    assert write.body["metadata"]["labels"] == {"fleet-testbed/run": "x"}
    selector = {"matchLabels": {"fleet-testbed/policy": "fx-g00-all"}}
    assert write.body["spec"] == {
        "resourceSelectors": [
            {"apiVersion": "apps/v1", "kind": "Deployment", "labelSelector": selector},
            {"apiVersion": "v1", "kind": "ConfigMap", "labelSelector": selector},
        ],
        "placement": {"clusterAffinity": {"clusterNames": ["wec001", "wec002"]}},
    }
