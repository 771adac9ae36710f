import pytest

from fleet.kube.resources import (
    ALL,
    APPLIED_MANIFEST_WORKS,
    DEPLOYMENTS,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    NAMESPACES,
    PODS,
    WORK_STATUSES,
)


def test_paths() -> None:
    assert PODS.path() == "/api/v1/pods"
    assert PODS.path("a", "b") == "/api/v1/namespaces/b/pods/a"
    assert DEPLOYMENTS.path("a", "b", "status") == "/apis/apps/v1/namespaces/b/deployments/a/status"
    assert MANIFEST_WORKS.path(namespace="wec001") == (
        "/apis/work.open-cluster-management.io/v1/namespaces/wec001/manifestworks"
    )
    assert MANAGED_CLUSTERS.path("wec001") == "/apis/cluster.open-cluster-management.io/v1/managedclusters/wec001"
    assert NAMESPACES.path("x") == "/api/v1/namespaces/x"


def test_names_are_encoded() -> None:
    assert PODS.path("../../x", "a b") == "/api/v1/namespaces/a%20b/pods/..%2F..%2Fx"


def test_scope_is_checked() -> None:
    with pytest.raises(ValueError, match="cluster-scoped"):
        NAMESPACES.path("a", "b")
    with pytest.raises(ValueError, match="needs its namespace"):
        PODS.path("a")


def test_texts() -> None:
    assert str(PODS) == "pods"
    assert str(DEPLOYMENTS) == "deployments.apps"
    assert DEPLOYMENTS.api_version == "apps/v1"
    assert PODS.api_version == "v1"


def test_every_resource_once() -> None:
    assert len({(r.group, r.plural) for r in ALL}) == len(ALL)
    assert WORK_STATUSES.namespaced
    assert not APPLIED_MANIFEST_WORKS.namespaced
