"""Only the registration of a WEC that was requested is approved, whatever a request's label says."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from fleet.managers.ocm import names
from fleet.managers.ocm.admission import acceptance, approval, member, objection, pending
from tests.unit.managers.conftest import conditions, csr, managed_cluster, request_pem

OCM = "system:open-cluster-management"


def test_the_request_of_a_joining_wec_is_fine() -> None:
    assert objection(csr("wec001"), {"wec001", "wec002"}) is None


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"signerName": "kubernetes.io/kubelet-serving"}, "signer"),
        ({"username": "kubernetes-admin"}, "requested by kubernetes-admin"),
        ({"groups": ["system:authenticated"]}, "requested by"),
        ({"usages": ["client auth", "server auth"]}, "usages"),
        ({"request": "!"}, "cannot be read"),
        ({"request": base64.b64encode(b"no PEM").decode()}, "cannot be read"),
        ({"request": request_pem(f"{OCM}:wec002:x", [f"{OCM}:wec001"])}, "subject"),
        ({"request": request_pem("kubernetes-admin", [])}, "subject"),
        ({"request": request_pem(f"{OCM}:wec001:x", ["system:masters"])}, "groups"),
        ({"request": request_pem(f"{OCM}:wec001:x", [f"{OCM}:wec001"], dns="its1")}, "extensions"),
    ],
)
def test_objections(spec: dict[str, Any], reason: str) -> None:
    assert reason in str(objection(csr("wec001", **spec), {"wec001"}))


def test_a_cluster_that_was_not_asked_for_is_refused() -> None:
    assert objection(csr("wec009"), {"wec001"}) == "wec009 is not joining"
    unlabelled = csr("wec001")
    unlabelled["metadata"]["labels"] = {}
    assert objection(unlabelled, {"wec001"}) == "no cluster is not joining"


def test_a_decided_request_is_not_pending() -> None:
    request = csr("wec001")
    assert pending(request)
    assert not pending(request | approval())
    assert not pending(request | {"status": {"conditions": [{"type": "Denied", "status": "True"}]}})


def test_how_far_a_wec_has_come() -> None:
    cluster = managed_cluster("wec001")
    assert member(cluster, "wec001").missing() == (
        "HubAcceptsClient, ManagedClusterJoined, ManagedClusterConditionAvailable"
    )
    cluster["metadata"] |= acceptance("wec001")["metadata"]
    cluster["spec"] |= acceptance("wec001")["spec"]
    cluster["status"] = conditions("ManagedClusterJoined")
    assert member(cluster, "wec001").missing() == "ManagedClusterConditionAvailable"
    cluster["status"] = conditions("ManagedClusterJoined", "ManagedClusterConditionAvailable")
    assert member(cluster, "wec001").complete
    cluster["metadata"]["labels"] = names.EDGE_LABELS
    assert not member(cluster, "wec001").accepted


def test_a_wec_on_its_way_out_is_not_complete() -> None:
    cluster = managed_cluster("wec001", deletionTimestamp="2026-01-01T00:00:00Z", labels=names.wec_labels("wec001"))
    cluster["spec"]["hubAcceptsClient"] = True
    cluster["status"] = conditions("ManagedClusterJoined", "ManagedClusterConditionAvailable")
    assert not member(cluster, "wec001").complete
    assert member(cluster, "wec001").missing() == "it is being deleted"
