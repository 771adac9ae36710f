"""Node objects that simulators made, of one WEC, through its API server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fleet.errors import HostError
from fleet.host.https import Answer, Endpoint
from fleet.kube.conditions import condition

NODE_LABEL = "fleet-testbed/node"
"""Nodes that carry it were made here, so they may be removed here; its value says which simulator plays them."""
OK, CREATED, NOT_FOUND, CONFLICT = 200, 201, 404, 409


def of_simulator(cluster: str, endpoint: Endpoint, value: str) -> list[Mapping[str, Any]]:
    """Nodes whose label has that value; HostError when the API server refuses."""
    answer = endpoint.request("GET", f"/api/v1/nodes?labelSelector={NODE_LABEL}%3D{value}")
    expect(cluster, answer, OK)
    return answer.json().get("items") or []


def create(cluster: str, endpoint: Endpoint, body: Mapping[str, Any]) -> None:
    """Make one; one that is there already is fine."""
    expect(cluster, endpoint.request("POST", "/api/v1/nodes", body), CREATED, CONFLICT)


def delete(cluster: str, endpoint: Endpoint, names: Sequence[str]) -> None:
    """Delete them; those that are absent are fine."""
    for name in names:
        expect(cluster, endpoint.request("DELETE", f"/api/v1/nodes/{name}"), OK, NOT_FOUND)


def count_ready(cluster: str, endpoint: Endpoint, value: str) -> int:
    """How many have the condition Ready, which only a simulator that works gives them."""
    return sum(condition(node, "Ready") for node in of_simulator(cluster, endpoint, value))


def expect(cluster: str, answer: Answer, *statuses: int) -> None:
    """HostError unless the answer has one of the statuses."""
    if answer.status not in statuses:
        raise HostError(f"{cluster}: simulated nodes: {answer.status} {answer.text()}")
