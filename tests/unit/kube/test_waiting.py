import asyncio

import pytest

from fleet.errors import DeadlineError
from fleet.kube.client import KubeClient
from fleet.kube.errors import Unauthorized
from fleet.kube.resources import CONFIGMAPS, MANAGED_CLUSTERS
from fleet.kube.waiting import wait_for_all, wait_until
from fleet.testing.api_server.server import FakeApiServer
from tests.unit.kube.conftest import config_map


async def test_until_it_is_so(client: KubeClient, server: FakeApiServer) -> None:
    await client.create(CONFIGMAPS, config_map("a", "1"))
    wanted = asyncio.create_task(
        wait_until(client, CONFIGMAPS, "a", lambda o: o is not None and o["data"]["value"] == "2", "default", timeout=5)
    )
    await server.until_watches(1)
    await client.apply(CONFIGMAPS, config_map("a", "2"))
    found = await wanted
    assert found is not None
    assert found["data"] == {"value": "2"}
    assert [seen.method for seen in server.requests].count("GET") == 2  # one list, one watch: no polling


async def test_gone(client: KubeClient) -> None:
    def absent(found: object) -> bool:
        return found is None

    assert await wait_until(client, CONFIGMAPS, "never", absent, "default", timeout=5) is None
    await client.create(CONFIGMAPS, config_map("a"))
    gone = asyncio.create_task(wait_until(client, CONFIGMAPS, "a", absent, "default", timeout=5))
    await asyncio.sleep(0)
    await client.delete(CONFIGMAPS, "a", "default")
    assert await gone is None


async def test_all_and_who_is_missing(client: KubeClient) -> None:
    for name in ("wec001", "wec002"):
        await client.create(MANAGED_CLUSTERS, {"metadata": {"name": name}, "spec": {"hubAcceptsClient": True}})

    def accepted(obj: object) -> bool:
        return isinstance(obj, dict) and obj["spec"]["hubAcceptsClient"]

    found = await wait_for_all(client, MANAGED_CLUSTERS, ["wec001", "wec002"], accepted, timeout=5)
    assert sorted(key[1] for key in found) == ["wec001", "wec002"]
    with pytest.raises(DeadlineError, match=r"fake: 3 managedclusters.*not so: wec003$"):
        await wait_for_all(client, MANAGED_CLUSTERS, ["wec001", "wec002", "wec003"], accepted, timeout=0.1)


async def test_deadline_names_what_and_the_last_error(client: KubeClient, server: FakeApiServer) -> None:
    server.fail.status_503 = 10_000
    with pytest.raises(DeadlineError, match=r"fake: configmaps a in default: .* 503 ServiceUnavailable"):
        await wait_until(client, CONFIGMAPS, "a", lambda o: o is not None, "default", timeout=0.3)


async def test_a_refused_credential_ends_it(client: KubeClient, server: FakeApiServer) -> None:
    server.fail.status_401 = 5
    with pytest.raises(Unauthorized):
        await wait_until(client, CONFIGMAPS, "a", lambda o: o is not None, "default", timeout=5)
