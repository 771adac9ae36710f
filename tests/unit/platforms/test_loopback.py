"""Loopback addresses of Services."""

from __future__ import annotations

from fleet.install.objects import Ledger
from fleet.kube.resources import SERVICES
from fleet.platforms.loopback import SERVICE_CIDRS, address_of, allow, forget
from fleet.testing.api_server.server import FakeApiServer


def test_an_address_belongs_to_one_port() -> None:
    assert address_of(16005) == "127.77.62.133"  # 16005 = 62 * 256 + 133
    assert len({address_of(port) for port in range(15000, 16000)}) == 1000


async def test_the_range_stays_as_long_as_a_service_has_such_an_address() -> None:
    async with FakeApiServer("wec001") as server:
        server.store.serve(SERVICE_CIDRS)
        meta = {"name": "webhooks", "namespace": "default"}
        server.store.create(SERVICES, {"metadata": meta, "spec": {"clusterIP": address_of(16005)}}, "default")
        async with server.client() as client:
            await allow(client, Ledger())
            await forget(client)
            assert len(server.store.objects(SERVICE_CIDRS)) == 1
            server.store.delete(SERVICES, "webhooks", "default")
            await forget(client)
            assert server.store.objects(SERVICE_CIDRS) == []
