"""What goes wrong: conflicts, cut watches, compaction, orphans, clusters that go away and come back."""

import asyncio
import json

import pytest

from fleet.errors import HostError
from fleet.kube.resources import DEPLOYMENTS, MANIFEST_WORKS, PODS, WORK_STATUSES
from fleet.managers.kubestellar.status_agent import agent as agent_module
from fleet.managers.kubestellar.status_agent.agent import Agent
from fleet.managers.kubestellar.status_agent.queue import Backoff
from tests.unit.managers.kubestellar.status_agent.scene import SECONDS, Scene, Wec, soon, until


def reported_pod(wec: Wec, name: str = "p") -> None:
    """A pod with status {"n": 1}, applied by a work of its own name."""
    amw = wec.work(f"mw-{name}")
    wec.list_applied(amw, wec.put(PODS, name, {"n": 1}, amw))


async def test_a_conflict_is_read_again_and_the_last_state_wins(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    reported_pod(wec)
    async with scene.agent() as agent:
        await hub.reports("wec001", "Pod/p", {"n": 1})
        name = hub.statuses("wec001")["Pod/p"]["metadata"]["name"]
        hub.server.store.update(WORK_STATUSES, name, "wec001", lambda ws: {**ws, "touched": True})
        before = len(hub.calls("wec001"))
        wec.set_status(PODS, "p", {"n": 2})
        await hub.reports("wec001", "Pod/p", {"n": 2})
        put, get = "PUT workstatuses status", "GET workstatuses"
        assert hub.calls("wec001")[before:] == [put, get, put]
        assert agent.metrics.of("wec001").conflicts == 1
        assert hub.statuses("wec001")["Pod/p"]["touched"] is True


async def test_a_work_status_that_vanished_is_made_again(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    reported_pod(wec)
    async with scene.agent():
        await hub.reports("wec001", "Pod/p", {"n": 1})
        name = hub.statuses("wec001")["Pod/p"]["metadata"]["name"]
        hub.server.store.delete(WORK_STATUSES, name, "wec001")
        wec.set_status(PODS, "p", {"n": 2})
        await hub.reports("wec001", "Pod/p", {"n": 2})


async def test_nothing_is_made_again_for_a_work_that_is_gone(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    reported_pod(wec)
    async with scene.agent() as agent:
        await hub.reports("wec001", "Pod/p", {"n": 1})
        hub.server.store.delete(MANIFEST_WORKS, "mw-p", "wec001")
        hub.server.store.delete(WORK_STATUSES, hub.statuses("wec001")["Pod/p"]["metadata"]["name"], "wec001")
        wec.set_status(PODS, "p", {"n": 2})
        await soon(lambda: agent.gauges()["wec001"].retries > 0)
        assert hub.statuses("wec001") == {}


async def test_rapid_changes_end_in_the_last_state_without_writing_each(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    reported_pod(wec)
    async with scene.agent() as agent:
        await hub.reports("wec001", "Pod/p", {"n": 1})
        hub.server.fail.delay_seconds = 0.05
        for n in range(2, 102):
            wec.set_status(PODS, "p", {"n": n})
        await hub.reports("wec001", "Pod/p", {"n": 101})
        seen = [e.after["status"]["n"] for e in hub.server.store.history if e.after and "status" in e.after]
        assert seen == sorted(seen)
        assert agent.metrics.of("wec001").status_writes < 100


async def test_a_cut_watch_loses_nothing(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    reported_pod(wec)
    async with scene.agent():
        await hub.reports("wec001", "Pod/p", {"n": 1})
        wec.server.cut_watches()
        wec.set_status(PODS, "p", {"n": 2})
        await hub.reports("wec001", "Pod/p", {"n": 2})


async def test_after_410_what_was_missed_is_made_up_for(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    for name in ("changed", "deleted"):
        reported_pod(wec, name)
    async with scene.agent():
        await hub.reports("wec001", "Pod/changed", {"n": 1})
        await hub.reports("wec001", "Pod/deleted", {"n": 1})
        await wec.server.stop()
        wec.set_status(PODS, "changed", {"n": 2})
        wec.delete(PODS, "deleted")
        reported_pod(wec, "added")
        wec.server.compact()
        await wec.server.start()
        await hub.reports("wec001", "Pod/changed", {"n": 2})
        await hub.reports("wec001", "Pod/added", {"n": 1})
        await hub.gone("wec001", "Pod/deleted")


async def test_orphans_of_an_earlier_run_are_deleted_and_the_rest_is_left_alone(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    for name in ("kept", "deleted"):
        reported_pod(wec, name)
    lost = wec.work("lost")
    wec.list_applied(lost, wec.put(PODS, "moved", {"n": 1}, lost))
    async with scene.agent():
        for name in ("kept", "deleted", "moved"):
            await hub.reports("wec001", f"Pod/{name}", {"n": 1})
    wec.delete(PODS, "deleted")
    wec.drop_work(lost)
    wec.delete(PODS, "moved")
    stranger = {"metadata": {"name": "stranger"}, "spec": {"sourceRef": {"kind": "Pod", "name": "stranger"}}}
    hub.server.store.create(WORK_STATUSES, stranger, "wec001")
    version = hub.statuses("wec001")["Pod/kept"]["metadata"]["resourceVersion"]
    async with scene.agent() as agent:
        await hub.gone("wec001", "Pod/deleted")
        await hub.gone("wec001", "Pod/moved")
        await soon(lambda: agent.gauges()["wec001"].unfinished == 0)
        assert set(hub.statuses("wec001")) == {"Pod/kept", "Pod/stranger"}
        assert hub.statuses("wec001")["Pod/kept"]["metadata"]["resourceVersion"] == version


async def test_orphans_of_kinds_nobody_applies_any_more_are_deleted(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    amw = wec.work("mw")
    wec.list_applied(amw, wec.put(PODS, "p", {"n": 1}, amw))
    async with scene.agent():
        await hub.reports("wec001", "Pod/p", {"n": 1})
    wec.list_applied(amw)
    async with scene.agent():
        await hub.gone("wec001", "Pod/p")
    assert hub.statuses("wec001") == {}


async def test_what_changed_while_the_agent_was_away_is_written(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    reported_pod(wec)
    async with scene.agent():
        await hub.reports("wec001", "Pod/p", {"n": 1})
    wec.set_status(PODS, "p", {"n": 2})
    before = len(hub.calls("wec001"))
    async with scene.agent():
        await hub.reports("wec001", "Pod/p", {"n": 2})
    assert hub.calls("wec001")[before:] == ["PUT workstatuses status"]


async def test_a_wec_that_is_away_does_not_disturb_the_others_and_comes_back(scene: Scene) -> None:
    down, up, hub = scene.wecs["wec001"], scene.wecs["wec002"], scene.hub
    reported_pod(down)
    reported_pod(up)
    async with scene.agent():
        await hub.reports("wec001", "Pod/p", {"n": 1})
        await hub.reports("wec002", "Pod/p", {"n": 1})
        await down.server.stop()
        down.set_status(PODS, "p", {"n": 2})
        up.set_status(PODS, "p", {"n": 2})
        await hub.reports("wec002", "Pod/p", {"n": 2})
        assert hub.status("wec001", "Pod/p") == {"n": 1}  # nothing is deleted because a WEC is away
        await down.server.start()
        await hub.reports("wec001", "Pod/p", {"n": 2})


async def test_a_wec_that_is_away_at_the_start_is_served_when_it_comes(scene: Scene) -> None:
    late, hub = scene.wecs["wec001"], scene.hub
    reported_pod(late)
    await late.server.stop()
    async with scene.agent("wec002") as agent:
        await agent.apply(scene.config())
        await soon(lambda: agent.gauges()["wec002"].ready)
        await late.server.start()
        await hub.reports("wec001", "Pod/p", {"n": 1})


async def test_a_hub_that_is_away_gets_the_last_state_when_it_is_back(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    reported_pod(wec)
    async with scene.agent() as agent:
        await hub.reports("wec001", "Pod/p", {"n": 1})
        await hub.server.stop()
        wec.set_status(PODS, "p", {"n": 2})
        await soon(lambda: agent.gauges()["wec001"].retries > 0)
        wec.set_status(PODS, "p", {"n": 3})
        await hub.server.start()
        await hub.reports("wec001", "Pod/p", {"n": 3})


async def test_errors_of_the_hub_are_tried_again(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    reported_pod(wec)
    async with scene.agent():
        await hub.reports("wec001", "Pod/p", {"n": 1})
        hub.server.fail.status_500, hub.server.fail.status_429, hub.server.fail.drop = 1, 1, 1
        wec.set_status(PODS, "p", {"n": 2})
        await hub.reports("wec001", "Pod/p", {"n": 2})


async def test_wecs_are_added_and_removed_without_disturbing_the_others(scene: Scene) -> None:
    first, second, hub = scene.wecs["wec001"], scene.wecs["wec002"], scene.hub
    reported_pod(first)
    reported_pod(second)
    async with scene.agent("wec001") as agent:
        await hub.reports("wec001", "Pod/p", {"n": 1})
        asked = len(first.server.requests)
        await agent.apply(scene.config("wec001", "wec002"))
        await hub.reports("wec002", "Pod/p", {"n": 1})
        assert set(agent.wecs) == {"wec001", "wec002"}
        assert len(first.server.requests) == asked
        await agent.apply(scene.config("wec002"))
        assert set(agent.wecs) == {"wec002"}
        await soon(lambda: first.server.open_watches == 0)
        second.set_status(PODS, "p", {"n": 2})
        await hub.reports("wec002", "Pod/p", {"n": 2})


async def test_new_limits_restart_a_wec(scene: Scene) -> None:
    async with scene.agent("wec001") as agent:
        assert agent.gauges()["wec001"].hub_requests == 1
        asked = len(scene.wecs["wec001"].server.requests)
        await agent.apply(scene.config("wec001", hub_qps=100))
        await scene.ready(agent)
        assert len(scene.wecs["wec001"].server.requests) > asked


async def test_the_log_joins_versions_in_and_out(scene: Scene) -> None:
    wec, hub = scene.wecs["wec001"], scene.hub
    async with scene.agent():
        amw = wec.work("mw")
        pod = wec.put(PODS, "p", {"n": 1}, amw)
        wec.list_applied(amw, pod)
        await hub.reports("wec001", "Pod/p", {"n": 1})
        ws = hub.statuses("wec001")["Pod/p"]["metadata"]
        wec.delete(PODS, "p")
        await until(hub.server, lambda: not hub.statuses("wec001"))
        await soon(lambda: "DELETE workstatuses" in hub.calls("wec001"))
    lines = [json.loads(line) for line in (scene.folder / "writes.jsonl").read_text().splitlines()]
    assert [line["op"] for line in lines] == ["create", "status", "delete"]
    written = lines[1]
    assert (written["wec"], written["uid"], written["wec_rv"]) == (
        "wec001",
        pod["metadata"]["uid"],
        pod["metadata"]["resourceVersion"],
    )
    assert (written["ws"], written["ws_rv"]) == (ws["name"], ws["resourceVersion"])
    assert 0 < written["in_ns"] < written["out_ns"]


async def test_a_slow_wec_does_not_hold_up_the_others(scene: Scene) -> None:
    slow, quick, hub = scene.wecs["wec001"], scene.wecs["wec002"], scene.hub
    reported_pod(slow)
    reported_pod(quick)
    slow.server.fail.delay_seconds = 3600.0
    async with scene.agent("wec002") as agent:
        await agent.apply(scene.config())
        quick.set_status(PODS, "p", {"n": 2})
        await hub.reports("wec002", "Pod/p", {"n": 2})
        assert not agent.gauges()["wec001"].ready


async def test_every_wec_has_a_bucket_of_its_own(scene: Scene) -> None:
    busy, hub = scene.wecs["wec001"], scene.hub
    amw = busy.work("mw")
    busy.list_applied(amw, *(busy.put(PODS, f"p{n}", {"n": 1}, amw) for n in range(3)))
    async with scene.agent(hub_qps=20, hub_burst=1) as agent:
        for n in range(3):
            await hub.reports("wec001", f"Pod/p{n}", {"n": 1})
        gauges = agent.gauges()
        assert gauges["wec001"].hub_requests == 1 + len(hub.calls("wec001"))
        assert gauges["wec001"].hub_wait_seconds > 0
        assert gauges["wec002"].hub_requests == 1
        assert gauges["wec002"].hub_wait_seconds == 0


async def test_a_work_that_went_unseen_is_forgotten_at_a_member_of_several_hubs(scene: Scene) -> None:
    """What a later list lacks is reported as deleted without its spec, which names the OCM agent that applied it."""
    wec, hub = scene.wecs["wec001"], scene.hub
    labels = {"transport.kubestellar.io/originWdsName": "wds1"}
    for name in ("kept", "gone"):
        hub.server.store.create(MANIFEST_WORKS, {"metadata": {"name": name, "labels": labels}}, "wec001")
    kept, gone = wec.applied_work("kept", "wec001"), wec.applied_work("gone", "wec001")
    wec.list_applied(kept, wec.put(PODS, "p", {"n": 1}, kept))
    wec.list_applied(gone, wec.put(DEPLOYMENTS, "d", {"n": 1}, gone))
    async with scene.agent(of_agent="wec001") as agent:
        await hub.reports("wec001", "Deployment/d", {"n": 1})
        await hub.reports("wec001", "Pod/p", {"n": 1})
        assert agent.gauges()["wec001"].watches == 3
        await wec.server.stop()
        wec.drop_work(gone)
        wec.delete(DEPLOYMENTS, "d")
        wec.server.compact()
        await wec.server.start()
        await hub.gone("wec001", "Deployment/d")
        await soon(lambda: agent.gauges()["wec001"].watches == 2)


async def test_the_pauses_between_restarts_begin_anew_after_one_that_served(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent of a WEC fails twice before, and twice after, it had listed everything."""
    tried: list[int] = []
    done = asyncio.Event()

    class Pauses(Backoff):
        def pause(self, failures: int) -> float:
            tried.append(failures)
            if len(tried) == 4:
                done.set()
            return 0.0

    class Failing:
        def __init__(self, *, ready: bool) -> None:
            self.ready = ready

        async def run(self) -> None:
            raise HostError("it failed")

    agents = iter([Failing(ready=False), Failing(ready=False), Failing(ready=True)])

    monkeypatch.setattr(agent_module, "_RESTART", Pauses())
    monkeypatch.setattr(Agent, "_build", lambda *_: next(agents, Failing(ready=False)))
    monkeypatch.setattr(Agent, "gauges", lambda _self: {})
    async with asyncio.timeout(SECONDS), Agent(scene.config("wec001"), scene.hub.server.client(), scene.connect):
        await done.wait()
    assert tried[:4] == [1, 2, 1, 2]
