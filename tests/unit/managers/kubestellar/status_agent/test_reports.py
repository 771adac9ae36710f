"""Create, update and delete flows of the contract, against a fake hub and fake WECs over real HTTP."""

from typing import Any

from fleet.kube.resources import (
    CONFIGMAPS,
    CRDS,
    DEPLOYMENTS,
    MANIFEST_WORKS,
    NAMESPACES,
    PODS,
    SERVICES,
    WORK_STATUSES,
    Resource,
)
from tests.unit.managers.kubestellar.status_agent.scene import Scene, owner_references, soon, until

SINGLETON = "managed-by.kubestellar.io/singletonstatus"


async def test_a_new_object_gets_a_work_status_with_two_writes(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    async with scene.agent():
        amw = wec.work("mw")
        wec.list_applied(amw, wec.put(DEPLOYMENTS, "web", {"replicas": 2}, amw))
        await hub.reports("wec001", "Deployment/web", {"replicas": 2})
    (ws,) = hub.server.store.objects(WORK_STATUSES)
    uid = amw["metadata"]["uid"]
    work = hub.server.store.get(MANIFEST_WORKS, "mw", "wec001")
    assert ws["metadata"]["name"] == f"{uid}-appsv1-deployment-ns-web"
    assert ws["metadata"]["namespace"] == "wec001"
    assert ws["metadata"]["labels"] == {"transport.kubestellar.io/originWdsName": "wds1", "app": "x"}
    assert ws["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "work.open-cluster-management.io/v1",
            "kind": "ManifestWork",
            "name": "mw",
            "uid": work["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert ws["spec"]["sourceRef"] == {
        "group": "apps",
        "version": "v1",
        "resource": "deployments",
        "kind": "Deployment",
        "namespace": "ns",
        "name": "web",
    }
    assert hub.calls("wec001") == ["GET manifestworks", "POST workstatuses", "PUT workstatuses status"]
    writes = [seen for seen in hub.server.requests if seen.method in ("POST", "PUT")]
    assert all(seen.query["fieldManager"] == "ocm-status-addon" for seen in writes)


async def test_what_another_hub_delivered_is_not_reported_here(scene: Scene) -> None:
    """Neither what was there before, nor what comes later, in either order; its own is, and the other's goes unseen."""
    wec, hub = scene.wecs["wec001"], scene.hub
    other, mine = wec.applied_work("other", "wec001-its2"), wec.applied_work("mine", "wec001")
    hub.server.store.create(
        MANIFEST_WORKS, {"metadata": {"name": "mine", "labels": {"transport.kubestellar.io/x": "y"}}}, "wec001"
    )
    wec.list_applied(other, wec.put(DEPLOYMENTS, "theirs", {"replicas": 1}, other))
    async with scene.agent(of_agent="wec001") as agent:
        wec.list_applied(mine, wec.put(DEPLOYMENTS, "ours", {"replicas": 2}, mine))
        await hub.reports("wec001", "Deployment/ours", {"replicas": 2})
        later = wec.applied_work("later", "wec001-its2")
        wec.list_applied(later, wec.put(DEPLOYMENTS, "late", {"replicas": 3}, later))
        wec.set_status(DEPLOYMENTS, "ours", {"replicas": 4})
        await hub.reports("wec001", "Deployment/ours", {"replicas": 4})
        await soon(lambda: agent.gauges()["wec001"].unfinished == 0)
        assert set(hub.statuses("wec001")) == {"Deployment/ours"}
        assert agent.gauges()["wec001"].objects == 1
        wec.drop_work(other)
        wec.drop_work(mine)
        await hub.gone("wec001", "Deployment/ours")


async def test_the_manifest_work_is_read_once_for_all_its_objects(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    amw = wec.work("mw")
    wec.list_applied(amw, *(wec.put(PODS, f"p{n}", {"phase": "Running"}, amw) for n in range(3)))
    async with scene.agent():
        await until(hub.server, lambda: sum("status" in ws for ws in hub.statuses("wec001").values()) == 3)
        wec.list_applied(amw, wec.put(PODS, "p3", {"phase": "Running"}, amw))
        await hub.reports("wec001", "Pod/p3", {"phase": "Running"})
    # Up to four workers may ask at the same time at the start; the fourth object must not.
    assert hub.calls("wec001")[-2:] == ["POST workstatuses", "PUT workstatuses status"]


async def test_two_wecs_report_into_their_own_namespaces(scene: Scene) -> None:
    for number, wec in enumerate(scene.wecs.values()):
        amw = wec.work("mw")
        wec.list_applied(amw, wec.put(PODS, "p", {"n": number}, amw))
    async with scene.agent():
        await scene.hub.reports("wec001", "Pod/p", {"n": 0})
        await scene.hub.reports("wec002", "Pod/p", {"n": 1})


async def test_an_update_replaces_the_whole_status_with_one_write(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    amw = wec.work("mw")
    wec.list_applied(amw, wec.put(DEPLOYMENTS, "web", {"replicas": 2, "old": {"a": 1}}, amw))
    async with scene.agent():
        await hub.reports("wec001", "Deployment/web", {"replicas": 2, "old": {"a": 1}})
        before = len(hub.calls("wec001"))
        wec.set_status(DEPLOYMENTS, "web", {"replicas": 3})
        await hub.reports("wec001", "Deployment/web", {"replicas": 3})
        assert hub.calls("wec001")[before:] == ["PUT workstatuses status"]


async def test_a_change_that_leaves_the_status_alone_is_not_written(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    amw = wec.work("mw")
    wec.list_applied(amw, wec.put(PODS, "quiet", {"n": 1}, amw), wec.put(PODS, "loud", {"n": 1}, amw))
    async with scene.agent() as agent:
        await hub.reports("wec001", "Pod/quiet", {"n": 1})
        await hub.reports("wec001", "Pod/loud", {"n": 1})
        version = hub.statuses("wec001")["Pod/quiet"]["metadata"]["resourceVersion"]
        wec.annotate(PODS, "quiet", "x")
        wec.set_status(PODS, "loud", {"n": 2})
        await hub.reports("wec001", "Pod/loud", {"n": 2})
        assert hub.statuses("wec001")["Pod/quiet"]["metadata"]["resourceVersion"] == version
        assert agent.metrics.of("wec001").skipped_equal == 1


async def test_a_cluster_scoped_object(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    amw = wec.work("mw")
    wec.list_applied(amw, wec.put(NAMESPACES, "w1", {"phase": "Active"}, amw))
    async with scene.agent():
        await hub.reports("wec001", "Namespace/w1", {"phase": "Active"})
    (ws,) = hub.server.store.objects(WORK_STATUSES)
    assert ws["metadata"]["name"] == f"{amw['metadata']['uid']}-v1-namespace--w1"
    assert ws["spec"]["sourceRef"]["namespace"] == ""
    assert ws["spec"]["sourceRef"]["group"] == ""


async def test_an_object_without_status_is_there_and_gets_it_later(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    amw = wec.work("mw")
    wec.list_applied(amw, wec.put(DEPLOYMENTS, "web", None, amw))
    async with scene.agent():
        await until(hub.server, lambda: "Deployment/web" in hub.statuses("wec001"))
        assert hub.status("wec001", "Deployment/web") is None
        wec.set_status(DEPLOYMENTS, "web", {"replicas": 1})
        await hub.reports("wec001", "Deployment/web", {"replicas": 1})


async def test_deletion(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    amw = wec.work("mw")
    wec.list_applied(amw, wec.put(PODS, "p", {"n": 1}, amw), wec.put(PODS, "q", {"n": 1}, amw))
    async with scene.agent():
        await hub.reports("wec001", "Pod/p", {"n": 1})
        wec.delete(PODS, "p")
        await hub.gone("wec001", "Pod/p")
        await hub.reports("wec001", "Pod/q", {"n": 1})


async def test_an_object_made_again_under_its_name_is_reported_anew(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    amw = wec.work("mw")
    wec.list_applied(amw, wec.put(PODS, "p", {"n": 1}, amw))
    async with scene.agent():
        await hub.reports("wec001", "Pod/p", {"n": 1})
        wec.delete(PODS, "p")
        wec.put(PODS, "p", {"n": 2}, amw)
        await hub.reports("wec001", "Pod/p", {"n": 2})


async def test_loss_of_ownership_deletes_the_report(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    amw = wec.work("mw")
    wec.list_applied(amw, wec.put(PODS, "p", {"n": 1}, amw))
    async with scene.agent():
        await hub.reports("wec001", "Pod/p", {"n": 1})
        wec.change(PODS, "p", lambda obj: obj["metadata"].update(ownerReferences=[]))
        await hub.gone("wec001", "Pod/p")


async def test_a_new_first_owner_moves_the_report(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    first, second = wec.work("mw1"), wec.work("mw2")
    pod = wec.put(PODS, "p", {"n": 1}, first)
    wec.list_applied(first, pod)
    wec.list_applied(second, pod)
    moved = f"{second['metadata']['uid']}-v1-pod-ns-p"
    async with scene.agent():
        await hub.reports("wec001", "Pod/p", {"n": 1})
        wec.change(PODS, "p", lambda obj: obj["metadata"].update(ownerReferences=owner_references(second, first)))
        await until(
            hub.server, lambda: [w["metadata"]["name"] for w in hub.server.store.objects(WORK_STATUSES)] == [moved]
        )
        await hub.reports("wec001", "Pod/p", {"n": 1})


async def test_what_is_never_reported(scene: Scene) -> None:
    """Skipped kinds, objects of controllers, works that KubeStellar did not make."""
    wec, hub = scene.wecs["wec001"], scene.hub
    amw, foreign = wec.work("mw"), wec.work("addon", labels={"app": "x"})
    wec.list_applied(
        amw,
        wec.put(CONFIGMAPS, "c", {"n": 1}, amw),
        wec.put(PODS, "mine", {"n": 1}, amw),
    )
    wec.put(PODS, "of-a-controller", {"n": 1})
    wec.list_applied(foreign, wec.put(PODS, "foreign", {"n": 1}, foreign))
    async with scene.agent():
        await hub.reports("wec001", "Pod/mine", {"n": 1})
        wec.set_status(PODS, "of-a-controller", {"n": 2})
        wec.set_status(PODS, "foreign", {"n": 2})
        wec.set_status(PODS, "mine", {"n": 2})
        await hub.reports("wec001", "Pod/mine", {"n": 2})
        assert set(hub.statuses("wec001")) == {"Pod/mine"}
        assert wec.listed() == {"appliedmanifestworks", "pods"}


async def test_an_object_of_a_watched_kind_is_reported_before_it_is_listed_as_applied(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    amw = wec.work("mw")
    wec.list_applied(amw, wec.put(PODS, "p", {"n": 1}, amw))
    async with scene.agent():
        await hub.reports("wec001", "Pod/p", {"n": 1})
        wec.put(PODS, "early", {"n": 1}, amw)
        await hub.reports("wec001", "Pod/early", {"n": 1})


async def test_an_object_that_is_seen_before_its_owner_waits_for_it(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    amw = wec.work("mw")
    wec.list_applied(amw, wec.put(PODS, "p", {"n": 1}, amw))
    async with scene.agent() as agent:
        await hub.reports("wec001", "Pod/p", {"n": 1})
        wec.server.fail.only, wec.server.fail.status_503 = "appliedmanifestworks", 3
        watches = len(wec.server.requests)
        wec.server.end_watches()
        await soon(lambda: any(s.code == 503 for s in wec.server.requests[watches:]))
        late = wec.work("late")
        wec.put(PODS, "q", {"n": 1}, late)
        await hub.reports("wec001", "Pod/q", {"n": 1})
        assert agent.gauges()["wec001"].objects == 2


async def test_kinds_come_and_go_with_what_is_applied(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    amw = wec.work("mw")
    pod, service = wec.put(PODS, "p", {"n": 1}, amw), wec.put(SERVICES, "s", {"n": 1}, amw)
    wec.list_applied(amw, pod)
    async with scene.agent() as agent:
        await hub.reports("wec001", "Pod/p", {"n": 1})
        assert "services" not in wec.listed()
        wec.list_applied(amw, pod, service)
        await hub.reports("wec001", "Service/s", {"n": 1})
        assert agent.gauges()["wec001"].watches == 3
        wec.list_applied(amw, service)
        await hub.gone("wec001", "Pod/p")
        await soon(lambda: wec.server.open_watches == 2)
        assert agent.gauges()["wec001"].watches == 2
        wec.drop_work(amw)
        await hub.gone("wec001", "Service/s")
        await soon(lambda: wec.server.open_watches == 1)


async def test_an_idle_wec_costs_one_watch(scene: Scene) -> None:
    async with scene.agent() as agent:
        await soon(lambda: all(wec.server.open_watches == 1 for wec in scene.wecs.values()))
        assert all(gauge.watches == 1 for gauge in agent.gauges().values())


async def test_a_custom_resource_is_found_by_discovery(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    things = Resource("example.io", "v1", "things", "Thing", namespaced=True)
    names = {"plural": "things", "kind": "Thing"}
    crd: dict[str, Any] = {
        "metadata": {"name": "things.example.io"},
        "spec": {"group": "example.io", "names": names, "scope": "Namespaced", "versions": [{"name": "v1"}]},
    }
    amw = wec.work("mw")
    wec.server.store.create(CRDS, crd)
    wec.list_applied(amw, wec.put(things, "t", {"phase": "Up"}, amw))
    async with scene.agent():
        await hub.reports("wec001", "Thing/t", {"phase": "Up"})
    (ws,) = hub.server.store.objects(WORK_STATUSES)
    assert ws["metadata"]["name"] == f"{amw['metadata']['uid']}-example.iov1-thing-ns-t"


async def test_the_singleton_label_is_copied_at_creation_and_patched_later(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    amw = wec.work("mw")
    wec.list_applied(amw, wec.put(PODS, "p", {"n": 1}, amw, labels={SINGLETON: "true"}), wec.put(PODS, "q", {}, amw))
    async with scene.agent():
        await hub.reports("wec001", "Pod/p", {"n": 1})
        await hub.reports("wec001", "Pod/q", {})
        assert hub.statuses("wec001")["Pod/p"]["metadata"]["labels"][SINGLETON] == "true"
        assert SINGLETON not in hub.statuses("wec001")["Pod/q"]["metadata"]["labels"]
        wec.change(PODS, "q", lambda obj: obj["metadata"].update(labels={SINGLETON: "true"}))
        await until(
            hub.server,
            lambda: hub.statuses("wec001")["Pod/q"]["metadata"]["labels"].get(SINGLETON) == "true",
        )
        assert hub.statuses("wec001")["Pod/q"]["metadata"]["labels"]["app"] == "x"
        assert hub.status("wec001", "Pod/q") == {}


async def test_with_parity_the_calls_are_those_of_the_addon(scene: Scene) -> None:
    """First report: GET, GET work, POST, PUT; afterwards GET and PUT for every version, equal or not."""
    wec, hub = scene.wecs["wec001"], scene.hub
    amw = wec.work("mw")
    async with scene.agent(parity=True) as agent:
        wec.list_applied(amw, wec.put(PODS, "p", {"n": 1}, amw))
        await hub.reports("wec001", "Pod/p", {"n": 1})
        first = ["GET workstatuses", "GET manifestworks", "POST workstatuses", "PUT workstatuses status"]
        await soon(lambda: hub.calls("wec001") == first)
        wec.annotate(PODS, "p", "x")
        await soon(lambda: hub.calls("wec001")[4:] == ["GET workstatuses", "PUT workstatuses status"])
        assert agent.metrics.of("wec001").status_writes == 2
