"""Each fault by itself: what the reflector must deliver, and what it must mark."""

import asyncio
import time
from pathlib import Path

import pytest

from fleet.errors import DeadlineError, KubeError
from fleet.kube.client import KubeClient
from fleet.kube.errors import Overlong, Unauthorized
from fleet.kube.events import Clock
from fleet.kube.resources import CONFIGMAPS, PODS, Resource
from fleet.testing.api_server.server import FakeApiServer
from tests.unit.kube.conftest import Recorder, config_map


def put(server: FakeApiServer, name: str, value: str = "1") -> None:
    """Creates or changes a ConfigMap behind everybody's back."""
    if any(held["metadata"]["name"] == name for held in server.store.objects(CONFIGMAPS)):
        server.store.update(CONFIGMAPS, name, "default", lambda old: {**old, "data": {"value": value}})
    else:
        server.store.create(CONFIGMAPS, config_map(name, value))


def model(server: FakeApiServer) -> dict[tuple[str, str], tuple[str, str]]:
    return {
        (o["metadata"]["namespace"], o["metadata"]["name"]): (o["metadata"]["uid"], o["metadata"]["resourceVersion"])
        for o in server.store.objects(CONFIGMAPS)
    }


async def test_lists_then_watches(client: KubeClient, server: FakeApiServer) -> None:
    for name in "abcde":
        put(server, name)
    async with Recorder(client, page_size=2) as told:
        await told.reflector.wait_synced(5)
        assert told.told() == [("ADDED", name, True, False) for name in "abcde"]
        put(server, "a", "2")
        server.store.delete(CONFIGMAPS, "b", "default")
        put(server, "f")
        await told.until(lambda: len(told.events) == 8)
        assert told.told()[5:] == [
            ("MODIFIED", "a", False, False),
            ("DELETED", "b", False, False),
            ("ADDED", "f", False, False),
        ]
        assert told.reflector.versions() == model(server)
        assert told.gaps == []


async def test_the_watch_it_asks_for(client: KubeClient, server: FakeApiServer) -> None:
    async with Recorder(client, namespace="default", label_selector="a=b", field_selector="metadata.name=x") as told:
        await told.reflector.wait_synced(5)
        await server.until_watches(1)
        server.end_watches()
        await server.until_watches(0)
        await told.until(lambda: any("watch" in seen.query for seen in server.requests))
    watch = next(seen for seen in server.requests if "watch" in seen.query)
    assert watch.path == "/api/v1/namespaces/default/configmaps"
    assert watch.query["resourceVersion"] == str(server.store.version)
    assert watch.query["allowWatchBookmarks"] == "true"
    assert (watch.query["labelSelector"], watch.query["fieldSelector"]) == ("a=b", "metadata.name=x")
    assert 3600 <= int(watch.query["timeoutSeconds"]) <= 7200
    lists = [seen for seen in server.requests if "watch" not in seen.query]
    assert lists[0].query["limit"] == "500"


async def test_stamps_are_taken_before_parsing(client: KubeClient, server: FakeApiServer) -> None:
    ticks = iter(range(10_000))
    walls = iter(range(1_000_000, 2_000_000))
    async with Recorder(client, clock=Clock(lambda: next(ticks), lambda: next(walls))) as told:
        await told.reflector.wait_synced(5)
        await server.until_watches(1)
        before = time.monotonic_ns()
        put(server, "a")
        put(server, "b")
        await told.until(lambda: len(told.events) == 2)
        one, two = told.events
        assert one.mono_ns == two.mono_ns  # one chunk, one stamp
        assert one.wall_ns == two.wall_ns
    async with Recorder(client) as told:
        await told.reflector.wait_synced(5)
        put(server, "c")
        await told.until(lambda: len(told.events) == 3)
        assert before < told.events[-1].mono_ns <= time.monotonic_ns()


async def test_a_plain_end_resumes_without_a_gap(client: KubeClient, server: FakeApiServer) -> None:
    async with Recorder(client) as told:
        await told.reflector.wait_synced(5)
        put(server, "a")
        await told.until(lambda: len(told.events) == 1)
        server.end_watches()
        put(server, "b")
        await told.until(lambda: len(told.events) == 2)
        assert (told.reflector.stats.reconnects, told.reflector.stats.gaps, told.reflector.stats.lists) == (1, 0, 1)
        (stretch,) = told.reconnects
        assert stretch.start_ns < stretch.end_ns <= told.events[-1].mono_ns
        assert told.reflector.stats.blind_ns == stretch.end_ns - stretch.start_ns


@pytest.mark.parametrize("middle", [False, True])
async def test_a_cut_loses_nothing(client: KubeClient, server: FakeApiServer, middle: bool) -> None:
    server.fail.cut_after, server.fail.cut_mid_line = 2, middle
    async with Recorder(client) as told:
        await told.reflector.wait_synced(5)
        await server.until_watches(1)
        for name in "abcd":
            put(server, name)
        await told.until(lambda: len(told.events) == 4)
        assert told.told() == [("ADDED", name, False, False) for name in "abcd"]
        assert told.gaps == []


async def test_a_restarted_server_loses_nothing(client: KubeClient, server: FakeApiServer) -> None:
    async with Recorder(client) as told:
        await told.reflector.wait_synced(5)
        await server.stop()
        put(server, "a")
        await told.until(lambda: told.reflector.stats.errors > 1)
        await server.start()
        await told.until(lambda: len(told.events) == 1)
        assert told.told() == [("ADDED", "a", False, False)]
        assert told.gaps == []


@pytest.mark.parametrize(
    ("fault", "times"),
    [("gone_on_watch", 1), ("gone_event", 1), ("empty_watch", 2), ("error_event", 2), ("garbage_line", 2)],
)
async def test_a_lost_version_is_a_gap(client: KubeClient, server: FakeApiServer, fault: str, times: int) -> None:
    put(server, "stays")
    put(server, "changes")
    put(server, "goes")
    async with Recorder(client) as told:
        await told.reflector.wait_synced(5)
        await server.until_watches(1)
        setattr(server.fail, fault, times)
        server.end_watches()
        put(server, "changes", "2")
        put(server, "new")
        server.store.delete(CONFIGMAPS, "goes", "default")
        await told.until(lambda: told.reflector.stats.gaps == 1 and len(told.events) == 6)
        assert sorted(told.told()[3:]) == [
            ("ADDED", "new", True, True),
            ("DELETED", "goes", True, True),
            ("MODIFIED", "changes", True, True),
        ]
        (gap,) = told.gaps
        assert (gap.cluster, gap.resource) == ("fake", CONFIGMAPS)
        assert gap.reason
        assert gap.start_ns < gap.end_ns == told.events[-1].mono_ns
        put(server, "after")
        await told.until(lambda: len(told.events) == 7)
        assert told.told()[6] == ("ADDED", "after", False, False)
        assert told.reflector.versions() == model(server)


async def test_one_empty_watch_is_no_gap(client: KubeClient, server: FakeApiServer) -> None:
    server.fail.empty_watch = 1
    async with Recorder(client) as told:
        await told.reflector.wait_synced(5)
        put(server, "a")
        await told.until(lambda: len(told.events) == 1)
        assert told.gaps == []


async def test_compaction_while_away(client: KubeClient, server: FakeApiServer) -> None:
    async with Recorder(client) as told:
        await told.reflector.wait_synced(5)
        await server.until_watches(1)
        await server.stop()
        put(server, "a")
        server.compact()
        await server.start()
        await told.until(lambda: len(told.gaps) == 1)
        assert told.told() == [("ADDED", "a", True, True)]
        assert "410" in told.gaps[0].reason or "Expired" in told.reflector.stats.last_error


async def test_a_server_that_was_put_back_is_listed_again(client: KubeClient, server: FakeApiServer) -> None:
    """A watch from a version that is still to come says nothing, and no error."""
    put(server, "a")
    backup = server.store.version
    async with Recorder(client) as told:
        await server.until_watches(1)
        put(server, "b")
        put(server, "a", "2")
        await told.until(lambda: len(told.events) == 3)
        server.cut_watches()
        server.store.rewind(backup)
        await told.until(lambda: len(told.events) == 5)
        assert told.told()[3:] == [("MODIFIED", "a", True, True), ("DELETED", "b", True, True)]
        assert told.reflector.versions() == model(server)
        (gap,) = told.gaps
        assert gap.reason.startswith("the server went back from version ")
        put(server, "c")
        await told.until(lambda: len(told.events) == 6)
        assert told.told()[5:] == [("ADDED", "c", False, False)]


async def test_a_bookmark_saves_a_gap(client: KubeClient, server: FakeApiServer) -> None:
    """Versions of other kinds pass by: with the bookmark's version the watch can resume after a compaction."""
    async with Recorder(client) as told:
        await told.reflector.wait_synced(5)
        await server.until_watches(1)
        server.compact()
        server.bookmark()
        await told.until(lambda: told.reflector.stats.bookmarks == 1)
        assert told.reflector.stats.bookmark == told.reflector.resource_version == str(server.store.version)
        server.end_watches()
        put(server, "a")
        await told.until(lambda: len(told.events) == 1)
        assert told.gaps == []


async def test_410_between_pages_starts_the_list_over(client: KubeClient, server: FakeApiServer) -> None:
    for name in "abcde":
        put(server, name)
    server.fail.gone_on_continue = 1
    async with Recorder(client, page_size=2) as told:
        await told.reflector.wait_synced(5)
        assert told.told() == [("ADDED", name, True, False) for name in "abcde"]
        assert told.gaps == []
        assert told.reflector.stats.relists == 0


async def test_429_is_given_the_time_it_asks_for(client: KubeClient, server: FakeApiServer) -> None:
    server.fail.status_429, server.fail.retry_after = 1, 1
    start = time.monotonic()
    async with Recorder(client) as told:
        await told.reflector.wait_synced(5)
    assert time.monotonic() - start >= 1  # a lower bound: the server requested it


@pytest.mark.parametrize("fault", ["status_403", "status_500", "status_503", "drop"])
async def test_refused_watches_are_tried_again(client: KubeClient, server: FakeApiServer, fault: str) -> None:
    async with Recorder(client) as told:
        await told.reflector.wait_synced(5)
        await server.until_watches(1)
        setattr(server.fail, fault, 3)
        server.end_watches()
        put(server, "a")
        await told.until(lambda: len(told.events) == 1)
        assert told.gaps == []
        assert getattr(server.fail, fault) == 0


async def test_401_reloads_once_then_stops(tmp_path: Path) -> None:
    async with FakeApiServer(tls=True, token="one") as server:
        path = server.write_kubeconfig(tmp_path / "kubeconfig")
        async with KubeClient.from_kubeconfig(path, cluster="wec001") as client, Recorder(client) as told:
            await told.reflector.wait_synced(5)
            await server.until_watches(1)
            server.token = "two"
            server.write_kubeconfig(path)
            server.end_watches()
            put(server, "a")
            await told.until(lambda: len(told.events) == 1)
            assert told.gaps == []
            server.token = "three"
            server.end_watches()
            assert told.task is not None
            with pytest.raises(Unauthorized, match="wec001"):
                await asyncio.wait_for(told.task, 5)


async def test_a_silent_connection_is_noticed(client: KubeClient, server: FakeApiServer) -> None:
    server.fail.stall_watch = 1
    async with Recorder(client, idle_seconds=0.1) as told:
        await told.reflector.wait_synced(5)
        await server.until_watches(1)
        put(server, "a")
        await told.until(lambda: len(told.events) == 1)
        assert told.told() == [("ADDED", "a", False, False)]
        assert "no answer" in told.reflector.stats.last_error


async def test_a_big_object_passes_and_a_bigger_one_stops(client: KubeClient, server: FakeApiServer) -> None:
    async with Recorder(client, line_limit=2 << 20) as told:
        await told.reflector.wait_synced(5)
        await server.until_watches(1)
        server.big_object(CONFIGMAPS, "big", 3 << 19)
        await told.until(lambda: len(told.events) == 1)
        server.big_object(CONFIGMAPS, "bigger", 5 << 20)
        assert told.task is not None
        with pytest.raises(Overlong, match=r"fake: WATCH /api/v1/configmaps: a line is longer than 2097152 bytes"):
            await asyncio.wait_for(told.task, 5)


async def test_want_refuses_before_parsing(client: KubeClient, server: FakeApiServer) -> None:
    put(server, "listed-mine")
    put(server, "listed-other")
    async with Recorder(client, want=lambda raw: b"-mine" in raw) as told:
        await told.reflector.wait_synced(5)
        await server.until_watches(1)
        put(server, "a-other")
        put(server, "a-mine")
        server.bookmark()
        await told.until(lambda: told.reflector.stats.bookmarks == 1)
        assert [name for _, name, _, _ in told.told()] == ["listed-mine", "a-mine"]
        assert told.reflector.stats.filtered == 1


async def test_a_kind_that_comes_later(client: KubeClient, server: FakeApiServer) -> None:
    widgets = Resource("example.com", "v1", "widgets", "Widget", namespaced=True)
    async with Recorder(client, widgets) as told:
        with pytest.raises(DeadlineError, match=r"fake: widgets.example.com could not be listed .* 404 NotFound"):
            await told.reflector.wait_synced(0.05)
        server.store.serve(widgets)
        await told.reflector.wait_synced(5)


async def test_a_wrong_request_stops(client: KubeClient) -> None:
    async with Recorder(client, label_selector="a in b") as told:
        with pytest.raises(KubeError, match="unable to parse"):
            await told.reflector.wait_synced(5)


async def test_cancel_is_quick_and_leaves_no_watch(client: KubeClient, server: FakeApiServer) -> None:
    async with Recorder(client, PODS) as told:
        await told.reflector.wait_synced(5)
        await server.until_watches(1)
    assert told.task is not None
    assert told.task.cancelled()
    await server.until_watches(0, timeout=1)


async def test_an_error_of_the_callback_is_not_swallowed(client: KubeClient, server: FakeApiServer) -> None:
    class BrokenError(Exception):
        pass

    def broken(_event: object) -> None:
        raise BrokenError

    async with Recorder(client) as told:
        told.reflector._on_event = broken
        await told.reflector.wait_synced(5)
        put(server, "a")
        assert told.task is not None
        with pytest.raises(BrokenError):
            await asyncio.wait_for(told.task, 5)


@pytest.mark.parametrize("fault", ["", "gone_on_watch", "gone_event", "status_500", "empty_watch", "drop"])
async def test_cancel_is_never_lost(client: KubeClient, server: FakeApiServer, fault: str) -> None:
    """Whatever the reflector is just doing, also reading an error: cancelled at turn 0, 1, 2, ... of the loop."""
    for turn in range(60):
        if fault:
            setattr(server.fail, fault, 1000)
        async with Recorder(client, pauses=(0.0, 0.0)) as told:
            for _ in range(turn):
                await asyncio.sleep(0)
            assert told.task is not None
            told.task.cancel()
            await asyncio.wait([told.task], timeout=1)
            assert told.task.cancelled(), f"cancelled at turn {turn}"


async def test_a_server_that_accepts_but_never_answers(server: FakeApiServer) -> None:
    async with server.client(timeout=0.1) as client, Recorder(client) as told:
        await told.reflector.wait_synced(5)
        await server.until_watches(1)
        server.fail.delay_seconds = 60  # as a stopped process: the kernel accepts, nobody answers
        server.end_watches()
        put(server, "a")
        await told.until(lambda: "no answer" in told.reflector.stats.last_error)
        server.fail.delay_seconds = 0
        await told.until(lambda: len(told.events) == 1)
        assert told.gaps == []
