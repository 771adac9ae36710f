"""The WorkStatus name formula, worked by hand."""

from fleet.managers.kubestellar.status_agent.names import Gvr, work_status_name

UID = "0f4a2c1e-5b6d-4c7e-8f90-123456789abc"


def test_namespaced_object_of_a_group() -> None:
    name = work_status_name(UID, Gvr("apps", "v1", "deployments"), "Deployment", "w1", "web")
    assert name == f"{UID}-appsv1-deployment-w1-web"


def test_cluster_scoped_object_leaves_a_double_dash() -> None:
    assert work_status_name(UID, Gvr("", "v1", "namespaces"), "Namespace", "", "w1") == f"{UID}-v1-namespace--w1"


def test_group_and_kind_are_lower_case_but_the_name_is_not_touched() -> None:
    name = work_status_name(UID, Gvr("Example.IO", "v1Alpha1", "things"), "MyThing", "ns", "a.B")
    assert name == f"{UID}-example.iov1alpha1-mything-ns-a.B"


def test_cut_at_253_characters() -> None:
    # 36 (uid) + "-v1-pod-ns-" (11) leaves 206 characters of the name.
    name = work_status_name(UID, Gvr("", "v1", "pods"), "Pod", "ns", "x" * 250)
    assert name == f"{UID}-v1-pod-ns-" + "x" * 206
    assert len(name) == 253


def test_api_version() -> None:
    assert Gvr("apps", "v1", "deployments").api_version == "apps/v1"
    assert Gvr("", "v1", "pods").api_version == "v1"
