"""Agents of one WEC at several ITSes: what each keeps to itself, and how those of an ITS that is no more go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleet.errors import UsageError
from fleet.host.layout import Layout
from fleet.host.machine import Machine
from fleet.install.upstream import UpstreamFolders
from fleet.inventory.components import component_of, readers
from fleet.kube.resources import APPLIED_MANIFEST_WORKS, SECRETS
from fleet.managers.kubestellar import status_config
from fleet.managers.kubestellar.status_config import StatusSpec
from fleet.managers.ocm import names, spoke
from fleet.managers.ocm.agents import AgentsSpec, registered
from fleet.managers.ocm.memberships import at_seat, converge_memberships, disowned, retire_seats, seats
from fleet.managers.ocm.programs import AgentFiles
from fleet.testing.api_server.server import FakeApiServer

UPSTREAM = UpstreamFolders((Path("/TOOLCHAIN/bin"),), check=True)


def spec_of(root: Path, *, check: bool = True) -> AgentsSpec:
    machine = Machine("demo", root, UPSTREAM, check=check)
    return AgentsSpec(machine, UPSTREAM, ("wec001", "wec002"), hub="its1", beside=(StatusSpec(),))


def test_seats_are_found_by_their_folders_and_apart_from_the_first(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    assert seats(layout) == []
    for wec, seat in (("wec001", ""), ("wec001", "its3"), ("wec001", "its2"), ("wec002", "its2")):
        AgentFiles.of(layout, wec, seat).directory.mkdir(parents=True)
    assert seats(layout) == ["its2", "its3"]
    assert [registered(layout, seat) for seat in ("", "its2", "its3")] == [
        ["wec001"], ["wec001", "wec002"], ["wec001"]
    ]  # fmt: skip


def test_only_agents_of_several_itses_are_told_apart_in_the_status_agents_files(tmp_path: Path) -> None:
    spec = spec_of(tmp_path)
    entries = [
        status_config._entry(status, spec.layout, "wec001")
        for status in (StatusSpec(), StatusSpec().at(""), *at_seat(spec, "its2").beside)
        if isinstance(status, StatusSpec)
    ]
    assert [entry.get("agent") for entry in entries] == [None, "wec001", "wec001-its2"]
    files = {status_config.config_file(spec.layout, seat).name for seat in ("", "its2")}
    assert files == {"status-agent.json", "status-agent-its2.json"}


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("ocm-agent.wec001", ("ocm-agent", "")),
        ("ocm-agent-its2.wec001", ("ocm-agent", "its2")),
        ("status-agent", ("status-agent", "")),
        ("status-agent-its2", ("status-agent", "its2")),
        ("controller-manager.wds1", ("controller-manager", "")),
    ],
)
def test_the_name_of_a_program_tells_its_seat(program: str, expected: tuple[str, str]) -> None:
    assert component_of(program, readers()) == expected


def test_in_check_mode_a_seat_that_goes_is_told_and_stays(tmp_path: Path) -> None:
    spec = spec_of(tmp_path)
    AgentFiles.of(spec.layout, "wec001", "its2").directory.mkdir(parents=True)
    assert retire_seats(spec, ["its2"]).before == {}
    assert retire_seats(spec, []).before == {"agents at its2": "present"}
    assert seats(spec.layout) == ["its2"]


@pytest.mark.parametrize("way", [{"link_server": "https://127.0.0.1:1"}, {"hub_server": "https://10.0.0.1:1"}])
def test_a_way_that_leads_to_one_its_is_refused(way: dict[str, Any], tmp_path: Path) -> None:
    spec = replace(spec_of(tmp_path, check=False), **way)
    with pytest.raises(UsageError, match="its1, its2: several hubs need all control planes on one machine"):
        converge_memberships(spec, ["its2"])
    assert list(tmp_path.iterdir()) == []


async def test_an_agent_disowns_what_it_applied_and_nothing_of_its_neighbour() -> None:
    async with FakeApiServer("wec001") as server, server.client(retry_seconds=0) as wec:
        for name, agent in (("a", "wec001"), ("b", "wec001-its2"), ("c", "wec001-its2"), ("d", "")):
            spec = {"agentID": agent, "manifestWorkName": name}
            server.store.create(APPLIED_MANIFEST_WORKS, {"metadata": {"name": name}, "spec": spec})
        for seat in ("", "its2"):
            secret = {"metadata": {"name": names.hub_secret(seat)}}
            server.store.create(SECRETS, secret, names.AGENT_NAMESPACE)
        assert await spoke.applied(wec) == ["a", "d"]
        assert await disowned(wec, "its2") == 0
        assert await spoke.forget(wec, "its2")
        assert not await spoke.forget(wec, "its2")
        assert {item["metadata"]["name"] for item in server.store.objects(APPLIED_MANIFEST_WORKS)} == {"a", "d"}
        assert [item["metadata"]["name"] for item in server.store.objects(SECRETS)] == ["hub-kubeconfig-secret"]
        assert await spoke.disown(wec) == 2
