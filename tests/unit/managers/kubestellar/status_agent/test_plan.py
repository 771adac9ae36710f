"""One object to its WorkStatus, by hand-worked examples."""

from typing import Any

from fleet.managers.kubestellar.status_agent.names import Gvr
from fleet.managers.kubestellar.status_agent.plan import (
    ObjectKey,
    Plan,
    digest_of,
    new_work_status,
    plan_applied_work,
    plan_object,
    source_of,
    status_replacement,
    work_ref,
)

DEPLOYMENTS = Gvr("apps", "v1", "deployments")
AMW_OWNER = {
    "apiVersion": "work.open-cluster-management.io/v1",
    "kind": "AppliedManifestWork",
    "name": "abc-mw",
    "uid": "amw-1",
}


def deployment(**changes: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "web",
            "namespace": "w1",
            "uid": "obj-1",
            "resourceVersion": "17",
            "ownerReferences": [AMW_OWNER],
        },
        "status": {"replicas": 1, "readyReplicas": 1},
    } | changes


def planned(obj: dict[str, Any]) -> Plan:
    plan = plan_object(obj, DEPLOYMENTS, "Deployment", 5)
    assert plan is not None
    return plan


WORK = work_ref(
    {
        "metadata": {
            "name": "mw",
            "uid": "mw-uid",
            "labels": {"transport.kubestellar.io/originWdsName": "wds1", "other": "x"},
        }
    }
)


def test_plan_of_an_owned_object() -> None:
    plan = planned(deployment())
    assert plan.key == ObjectKey(DEPLOYMENTS, "w1", "web")
    assert (plan.uid, plan.rv, plan.owner_uid, plan.received_ns) == ("obj-1", "17", "amw-1", 5)
    assert plan.ws_name == "amw-1-appsv1-deployment-w1-web"
    assert plan.status == {"replicas": 1, "readyReplicas": 1}
    assert plan.singleton is None


def test_objects_without_an_applied_manifest_work_among_their_owners_are_not_reported() -> None:
    replica_set = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "r-1"}
    foreign = {"apiVersion": "example.io/v1", "kind": "AppliedManifestWork", "name": "r", "uid": "r-2"}
    for owners in (None, [], [replica_set], [foreign]):
        obj = deployment()
        obj["metadata"]["ownerReferences"] = owners
        assert plan_object(obj, DEPLOYMENTS, "Deployment", 0) is None


def test_the_first_applied_manifest_work_counts() -> None:
    obj = deployment()
    other = {"apiVersion": "v1", "kind": "Thing", "name": "t", "uid": "t"}
    obj["metadata"]["ownerReferences"] = [other, AMW_OWNER | {"uid": "amw-9"}, AMW_OWNER]
    assert planned(obj).owner_uid == "amw-9"


def test_body_of_the_post() -> None:
    assert new_work_status(planned(deployment()), "wec001", WORK) == {
        "apiVersion": "control.kubestellar.io/v1alpha1",
        "kind": "WorkStatus",
        "metadata": {
            "name": "amw-1-appsv1-deployment-w1-web",
            "namespace": "wec001",
            "labels": {"transport.kubestellar.io/originWdsName": "wds1", "other": "x"},
            "ownerReferences": [
                {
                    "apiVersion": "work.open-cluster-management.io/v1",
                    "kind": "ManifestWork",
                    "name": "mw",
                    "uid": "mw-uid",
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {
            "sourceRef": {
                "group": "apps",
                "version": "v1",
                "resource": "deployments",
                "kind": "Deployment",
                "name": "web",
                "namespace": "w1",
            }
        },
    }


def test_a_cluster_scoped_core_object_has_empty_strings_not_missing_keys() -> None:
    obj = {"metadata": {"name": "w1", "uid": "u", "resourceVersion": "1", "ownerReferences": [AMW_OWNER]}}
    plan = plan_object(obj, Gvr("", "v1", "namespaces"), "Namespace", 0)
    assert plan is not None
    body = new_work_status(plan, "wec001", WORK)
    assert body["spec"]["sourceRef"] == {
        "group": "",
        "version": "v1",
        "resource": "namespaces",
        "kind": "Namespace",
        "name": "w1",
        "namespace": "",
    }
    assert source_of(body) == plan.key


def test_the_singleton_label_is_copied_from_the_object() -> None:
    obj = deployment()
    obj["metadata"]["labels"] = {"managed-by.kubestellar.io/singletonstatus": "true", "app": "web"}
    plan = planned(obj)
    assert plan.singleton == "true"
    labels = new_work_status(plan, "wec001", WORK)["metadata"]["labels"]
    assert labels["managed-by.kubestellar.io/singletonstatus"] == "true"
    assert "app" not in labels


def test_body_of_the_status_put_is_the_whole_status_at_that_version() -> None:
    body = status_replacement(planned(deployment()), "wec001", "99")
    assert body["status"] == {"replicas": 1, "readyReplicas": 1}
    assert body["metadata"] == {
        "name": "amw-1-appsv1-deployment-w1-web",
        "namespace": "wec001",
        "resourceVersion": "99",
    }


def test_body_of_the_status_put_for_an_object_without_status_has_none() -> None:
    obj = deployment()
    del obj["status"]
    plan = planned(obj)
    assert plan.digest == b""
    assert "status" not in status_replacement(plan, "wec001", "99")


def test_digest_ignores_the_order_of_keys_only() -> None:
    assert digest_of({"a": 1, "b": [1, 2]}) == digest_of({"b": [1, 2], "a": 1})
    assert digest_of({"b": [2, 1]}) != digest_of({"b": [1, 2]})
    assert digest_of({}) != digest_of(None)


def test_kinds_of_an_applied_manifest_work_without_the_skipped_ones() -> None:
    applied = [
        {"version": "v1", "resource": "namespaces", "name": "w1", "uid": "1"},
        {"group": "apps", "version": "v1", "resource": "deployments", "namespace": "w1", "name": "a", "uid": "2"},
        {"group": "apps", "version": "v1", "resource": "deployments", "namespace": "w1", "name": "b", "uid": "3"},
        {"version": "v1", "resource": "configmaps", "namespace": "w1", "name": "c", "uid": "4"},
        {"group": "rbac.authorization.k8s.io", "version": "v1", "resource": "roles", "name": "r", "uid": "5"},
    ]
    work = plan_applied_work(
        {
            "metadata": {"name": "h-mw", "uid": "amw-1"},
            "spec": {"manifestWorkName": "mw"},
            "status": {"appliedResources": applied},
        }
    )
    assert (work.uid, work.manifest_work) == ("amw-1", "mw")
    assert work.kinds == {Gvr("", "v1", "namespaces"), DEPLOYMENTS}


def test_an_applied_manifest_work_without_status_has_no_kinds() -> None:
    work = plan_applied_work({"metadata": {"name": "h-mw", "uid": "a"}, "spec": {"manifestWorkName": "mw"}})
    assert work.kinds == frozenset()


def test_only_works_with_a_kubestellar_label_are_reported() -> None:
    assert WORK.from_kubestellar
    assert work_ref(
        {"metadata": {"name": "m", "uid": "u", "labels": {"managed-by.kubestellar.io/x": "1"}}}
    ).from_kubestellar
    assert not work_ref({"metadata": {"name": "m", "uid": "u", "labels": {"a": "b"}}}).from_kubestellar
    assert not work_ref({"metadata": {"name": "m", "uid": "u"}}).from_kubestellar
