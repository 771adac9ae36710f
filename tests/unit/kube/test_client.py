import asyncio
import time
from datetime import timedelta
from pathlib import Path

import pytest

from fleet.errors import KubeError
from fleet.kube.client import KubeClient
from fleet.kube.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    TooManyRequests,
    Unauthorized,
    Unreachable,
    from_status,
    retry_after_seconds,
)
from fleet.kube.resources import CONFIGMAPS, CRDS, DEPLOYMENTS, NAMESPACES
from fleet.testing.api_server.server import FakeApiServer
from tests.unit.kube.conftest import config_map


async def test_the_life_of_an_object(client: KubeClient) -> None:
    created = await client.create(CONFIGMAPS, config_map("a"))
    assert created["metadata"]["uid"]
    with pytest.raises(AlreadyExists, match="fake: POST /api/v1/namespaces/default/configmaps: 409 AlreadyExists"):
        await client.create(CONFIGMAPS, config_map("a"))
    got = await client.get(CONFIGMAPS, "a", "default")
    assert got == created
    changed = await client.replace(CONFIGMAPS, {**got, "data": {"value": "2"}})
    assert changed["metadata"]["resourceVersion"] != got["metadata"]["resourceVersion"]
    with pytest.raises(Conflict):
        await client.replace(CONFIGMAPS, {**got, "data": {"value": "3"}})
    patched = await client.patch(CONFIGMAPS, "a", {"metadata": {"labels": {"x": "y"}}}, "default")
    assert patched["data"] == {"value": "2"}
    operations = [{"op": "test", "path": "/data/value", "value": "0"}]
    with pytest.raises(Invalid):
        await client.patch(CONFIGMAPS, "a", operations, "default", type="json")
    with pytest.raises(Conflict):
        await client.delete(CONFIGMAPS, "a", "default", uid="another")
    await client.delete(CONFIGMAPS, "a", "default", uid=got["metadata"]["uid"], propagation="Background")
    with pytest.raises(NotFound):
        await client.get(CONFIGMAPS, "a", "default")


async def test_apply_creates_and_changes(client: KubeClient) -> None:
    first = await client.apply(CONFIGMAPS, config_map("a", "1"))
    same = await client.apply(CONFIGMAPS, config_map("a", "1"))
    assert same["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert (await client.apply(CONFIGMAPS, config_map("a", "2")))["data"] == {"value": "2"}
    with pytest.raises(ValueError, match="field_manager"):
        await client.patch(CONFIGMAPS, "a", {}, "default", type="apply")


async def test_status_is_written_on_its_own(client: KubeClient) -> None:
    manifest = {"metadata": {"name": "d", "namespace": "default"}, "spec": {"replicas": 1}, "status": {"replicas": 9}}
    created = await client.create(DEPLOYMENTS, manifest)
    assert "status" not in created
    written = await client.replace_status(DEPLOYMENTS, {**created, "spec": {"replicas": 5}, "status": {"replicas": 1}})
    assert (written["spec"], written["status"]) == ({"replicas": 1}, {"replicas": 1})
    assert written["metadata"]["generation"] == 1
    patched = await client.patch(DEPLOYMENTS, "d", {"status": {"replicas": 2}}, "default", subresource="status")
    assert patched["status"] == {"replicas": 2}
    changed = await client.patch(DEPLOYMENTS, "d", {"spec": {"replicas": 2}, "status": {"replicas": 7}}, "default")
    assert (changed["metadata"]["generation"], changed["status"]) == (2, {"replicas": 2})


async def test_lists_in_pages(client: KubeClient, server: FakeApiServer) -> None:
    for number in range(5):
        await client.create(CONFIGMAPS, config_map(f"c{number}", labels={"odd": str(number % 2)}))
    names = [item["metadata"]["name"] for item in await client.list_all(CONFIGMAPS, "default", page_size=2)]
    assert names == ["c0", "c1", "c2", "c3", "c4"]
    odd = await client.list_all(CONFIGMAPS, label_selector="odd in (1)", field_selector="metadata.name!=c1")
    assert [item["metadata"]["name"] for item in odd] == ["c3"]
    page = await client.list(CONFIGMAPS, limit=2)
    server.compact()
    with pytest.raises(Gone):
        await client.list(CONFIGMAPS, limit=2, continue_=page["metadata"]["continue"])


async def test_delete_collection_needs_a_selector(client: KubeClient) -> None:
    await client.create(CONFIGMAPS, config_map("a", labels={"mine": "yes"}))
    await client.create(CONFIGMAPS, config_map("b"))
    with pytest.raises(ValueError, match="selector"):
        await client.delete_collection(CONFIGMAPS, "default")
    await client.delete_collection(CONFIGMAPS, "default", label_selector="mine=yes")
    assert [item["metadata"]["name"] for item in await client.list_all(CONFIGMAPS)] == ["b"]


@pytest.mark.parametrize("fault", ["status_429", "status_500", "status_503", "drop"])
async def test_reads_are_tried_again(client: KubeClient, server: FakeApiServer, fault: str) -> None:
    setattr(server.fail, fault, 2)
    assert (await client.get(NAMESPACES, "default"))["metadata"]["name"] == "default"
    assert client.transport.retries >= 1
    assert getattr(server.fail, fault) == 0


@pytest.mark.parametrize("fault", ["status_429", "status_500", "drop"])
async def test_create_is_one_request(client: KubeClient, server: FakeApiServer, fault: str) -> None:
    setattr(server.fail, fault, 1)
    with pytest.raises(KubeError):
        await client.create(CONFIGMAPS, config_map("a"))
    assert [seen.method for seen in server.requests] == ["POST"]
    assert (await client.create(CONFIGMAPS, config_map("a"), retry=True))["metadata"]["name"] == "a"


async def test_create_with_retry(client: KubeClient, server: FakeApiServer) -> None:
    server.fail.status_429 = 1
    await client.create(CONFIGMAPS, config_map("a"), retry=True)
    assert [seen.code for seen in server.requests] == [429, 201]


async def test_retry_after_is_honoured_and_bounded(server: FakeApiServer) -> None:
    server.fail.status_429, server.fail.retry_after = 1, 1
    start = time.monotonic()
    async with server.client(retry_seconds=5) as client:
        await client.get(NAMESPACES, "default")
    assert time.monotonic() - start >= 1  # a lower bound: the server requested it
    server.fail.status_429, server.fail.retry_after = 1, 3600
    async with server.client(retry_seconds=5) as client:
        with pytest.raises(TooManyRequests) as caught:
            await client.get(NAMESPACES, "default")
    assert caught.value.retry_after == 3600


async def test_errors_name_cluster_status_and_reason(client: KubeClient, server: FakeApiServer) -> None:
    server.fail.status_403 = 1
    with pytest.raises(Forbidden) as caught:
        await client.list(NAMESPACES)
    assert (caught.value.cluster, caught.value.status, caught.value.reason) == ("fake", 403, "Forbidden")
    assert str(caught.value) == "fake: GET /api/v1/namespaces: 403 Forbidden failpoint"


async def test_timeouts_always_end(server: FakeApiServer) -> None:
    server.fail.delay_seconds = 30
    async with server.client(timeout=0.05, retry_seconds=0) as client:
        with pytest.raises(Unreachable, match="no answer"):
            await client.list(NAMESPACES)
        assert await client.ready(timeout=0.05) is False


async def test_a_server_that_is_away(server: FakeApiServer) -> None:
    async with server.client(retry_seconds=0) as client:
        await server.stop()
        with pytest.raises(Unreachable):
            await client.list(NAMESPACES)
        assert await client.ready() is False
        await server.start()
        assert await client.ready() is True


async def test_401_reads_the_credential_again_once(tmp_path: Path) -> None:
    async with FakeApiServer(tls=True, token="old") as server:
        path = server.write_kubeconfig(tmp_path / "kubeconfig")
        async with KubeClient.from_kubeconfig(path, cluster="wec001") as client:
            await client.list(NAMESPACES)
            server.token = "new"
            with pytest.raises(Unauthorized, match="wec001"):
                await client.list(NAMESPACES)
            assert [seen.code for seen in server.requests] == [200, 401, 401]
            server.write_kubeconfig(path)
            assert await client.list(NAMESPACES)
            assert [seen.code for seen in server.requests[3:]] == [401, 200]


async def test_tls_is_verified(tmp_path: Path) -> None:
    async with FakeApiServer(tls=True) as server, FakeApiServer(tls=True) as other:
        path = other.write_kubeconfig(tmp_path / "kubeconfig")
        path.write_text(path.read_text().replace(other.url, server.url))
        async with KubeClient.from_kubeconfig(path, cluster="x", retry_seconds=0) as client:
            with pytest.raises(Unreachable, match="certificate verify failed"):
                await client.list(NAMESPACES)


async def test_a_short_lived_certificate_works(tmp_path: Path) -> None:
    async with FakeApiServer(tls=True) as server:
        path = server.write_kubeconfig(tmp_path / "kubeconfig", lifetime=timedelta(minutes=5))
        assert path.stat().st_mode & 0o777 == 0o600
        async with KubeClient.from_kubeconfig(path, cluster="x") as client:
            assert client.server == server.url
            assert await client.raw("GET", "/readyz") == b"ok"


async def test_the_limiter_holds_requests_back(server: FakeApiServer) -> None:
    async with server.client(qps=100, burst=1) as client:
        await asyncio.gather(*(client.get(NAMESPACES, "default") for _ in range(5)))
        assert client.limiter.requests == 5
        assert client.limiter.delayed >= 1


async def test_discovery(client: KubeClient, server: FakeApiServer) -> None:
    manifest = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "default"}}
    assert await client.resource_for({"apiVersion": "apps/v1", "kind": "Deployment"}) == DEPLOYMENTS
    assert server.requests == []
    with pytest.raises(NotFound, match="install its CRD first"):
        await client.resource_for(manifest)
    spec = {
        "group": "example.com",
        "names": {"plural": "widgets", "kind": "Widget"},
        "scope": "Namespaced",
        "versions": [{"name": "v1"}],
    }
    await client.create(CRDS, {"metadata": {"name": "widgets.example.com"}, "spec": spec})
    widgets = await client.resource_for(manifest)
    assert (widgets.plural, widgets.namespaced) == ("widgets", True)
    await client.create(widgets, manifest)
    asked = len(server.requests)
    assert await client.resource_for(manifest) == widgets
    assert len(server.requests) == asked


async def test_metrics_and_stamps(client: KubeClient) -> None:
    assert "apiserver_request_total" in await client.metrics()
    before = time.monotonic_ns()
    answer = await client.request("POST", CONFIGMAPS.path(namespace="default"), body=config_map("a"))
    assert before <= answer.sent_ns < answer.received_ns <= time.monotonic_ns()
    assert answer.status == 201
    refused = await client.request("POST", CONFIGMAPS.path(namespace="default"), body=config_map("a"), check=False)
    assert refused.status == 409


def test_a_long_message_is_cut() -> None:
    error = from_status("c", "GET /x", 422, {"reason": "Invalid", "message": "y" * 5000})
    assert len(str(error)) < 700


@pytest.mark.parametrize(("value", "seconds"), [(None, 0), ("", 0), ("7", 7), ("Wed, 21 Oct", 0), ("-5", 0)])
def test_retry_after(value: str | None, seconds: float) -> None:
    assert retry_after_seconds(value) == seconds
