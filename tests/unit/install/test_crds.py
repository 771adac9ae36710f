"""CRDs on an API server that is too starved to answer at once."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.errors import DeadlineError
from fleet.install.crds import ensure_crds, wait_established
from fleet.install.objects import Ledger
from fleet.install.waiting import until
from fleet.kube.client import KubeClient
from fleet.kube.errors import Forbidden, Unreachable
from fleet.kube.resources import CRDS
from fleet.testing.api_server.server import FakeApiServer

NAME = "things.g.example"


def crd() -> dict[str, Any]:
    return {
        "apiVersion": CRDS.api_version,
        "kind": CRDS.kind,
        "metadata": {"name": NAME},
        "spec": {"group": "g.example"},
        "status": {"conditions": [{"type": "Established", "status": "True"}]},
    }


async def test_what_had_no_answer_is_asked_again(server: FakeApiServer, hub: KubeClient) -> None:
    """The client of this test gives up at the first connection that is lost."""
    server.store.create(CRDS, crd())
    server.fail.drop = 2
    assert await ensure_crds(hub, [{key: value for key, value in crd().items() if key != "status"}], Ledger()) is False
    server.fail.drop = 2
    await wait_established(hub, [NAME])
    assert server.fail.drop == 0


async def test_a_refusal_is_not_asked_again(server: FakeApiServer, hub: KubeClient) -> None:
    server.fail.status_403 = 1
    with pytest.raises(Forbidden):
        await ensure_crds(hub, [crd()], Ledger())


async def test_a_server_that_stays_silent_is_named_with_the_machine_s_pressure() -> None:
    async def silent() -> bool:
        raise Unreachable("GET /x: no answer: timeout", cluster="its1")

    with pytest.raises(DeadlineError, match=r"not served: x; its last answer: its1: GET .* the machine is "):
        await until(silent, 0.0, lambda: "its1: not served: x", poll=0.0)
