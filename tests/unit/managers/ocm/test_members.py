"""How WECs stand with an OCM hub, by the conditions of their ManagedClusters."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.errors import FleetError
from fleet.kube.client import KubeClient
from fleet.kube.resources import MANAGED_CLUSTERS
from fleet.managers.manager import Registration
from fleet.managers.ocm.members import check_members, registrations
from fleet.testing.api_server.server import FakeApiServer


def managed(name: str, **conditions: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"name": name}},
        "status": {"conditions": [{"type": kind, "status": status} for kind, status in conditions.items()]},
    }


@pytest.mark.parametrize(
    ("conditions", "word"),
    [
        ({}, "Pending"),
        ({"HubAcceptedManagedCluster": "False"}, "Pending"),
        ({"HubAcceptedManagedCluster": "True"}, "Accepted"),
        ({"HubAcceptedManagedCluster": "True", "ManagedClusterJoined": "True"}, "Joined"),
        ({"ManagedClusterJoined": "True", "ManagedClusterConditionAvailable": "True"}, "Available"),
        ({"ManagedClusterJoined": "True", "ManagedClusterConditionAvailable": "False"}, "Unavailable"),
        ({"ManagedClusterJoined": "True", "ManagedClusterConditionAvailable": "Unknown"}, "Unknown"),
    ],
)
async def test_a_word_for_each_and_a_problem_unless_it_is_available(
    server: FakeApiServer, hub: KubeClient, conditions: dict[str, str], word: str
) -> None:
    server.store.create(MANAGED_CLUSTERS, managed("wec001", **conditions))
    found = (await registrations(hub, ["wec001"]))["wec001"]
    assert found.word == word
    assert bool(found.problem) == (word != "Available")
    if word == "Available":
        await check_members(hub, ["wec001"])
    else:
        with pytest.raises(FleetError, match="1 of 1 WECs are not registered and Available: wec001"):
            await check_members(hub, ["wec001"])


async def test_only_those_that_are_asked_about(server: FakeApiServer, hub: KubeClient) -> None:
    server.store.create(MANAGED_CLUSTERS, managed("stranger"))
    absent = Registration("Absent", "has no ManagedCluster in its1")
    assert await registrations(hub, ["wec001"]) == {"wec001": absent}
