"""The command lines of plain OCM's programs, as golden transcripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.host.layout import Layout
from fleet.host.supervisor_config import Program
from fleet.install.program_parts import Extra
from fleet.install.upstream import UpstreamFolders
from fleet.managers.ocm.programs import AgentPrograms, HubPrograms
from fleet.model.client_limits import ClientLimits
from tests.unit.golden import check_programs

LAYOUT = Layout(Path("/STATE/demo"))
UPSTREAM = UpstreamFolders((Path("/TOOLCHAIN/bin"),), check=True)


def hub_of(limits: ClientLimits, extra: Extra) -> list[Program]:
    hub = HubPrograms(LAYOUT, "hub1", UPSTREAM, limits)
    return [hub.registration(16_000, extra), hub.placement(16_010, extra), hub.work_manager(16_011, extra)]


def test_hub_at_the_default_limits() -> None:
    check_programs("ocm-hub", hub_of(ClientLimits(), Extra()))


def test_hub_with_limits_arguments_and_environment() -> None:
    limits = ClientLimits(ocm_registration_qps=0.5, ocm_placement_burst=2000, ocm_work_manager_qps=1000)
    check_programs("ocm-hub-extra", hub_of(limits, Extra(("--v=4",), {"GOGC": "50"})))


def test_every_listener_is_on_loopback_and_a_port_of_its_own() -> None:
    programs = [*hub_of(ClientLimits(), Extra()), AgentPrograms(LAYOUT, UPSTREAM).agent("wec001", 16_020)]
    listeners = [word for program in programs for word in program.argv if word.startswith("--listen=")]
    assert len(set(listeners)) == len(programs)
    assert all(word.startswith("--listen=127.0.0.1:") for word in listeners)


def test_agents_of_neighbours_are_in_one_process() -> None:
    programs = AgentPrograms(LAYOUT, UPSTREAM, hosted=True)
    agent = programs.agent("wec026", 0)
    (host,) = programs.hosts(["wec026", "wec027"])
    assert host.name == "agent-host.1"
    assert Path(agent.argv[0]).name == "fleet-member"
    assert agent.argv[1] == host.argv[1].replace("--members=", "--host=")
    assert not [word for word in agent.argv if word.startswith(("--listen", "--config"))]
    assert programs.hosts(["wec001"], "its2")[0].name == "agent-host-its2.0"


@pytest.mark.parametrize("extra", [Extra(env={"GOGC": "100"}), Extra(("--feature-gates=ClusterClaim=false",))])
def test_settings_of_a_whole_process_give_an_agent_one_of_its_own(extra: Extra) -> None:
    programs = AgentPrograms(LAYOUT, UPSTREAM, extra=extra, hosted=True)
    assert Path(programs.agent("wec001", 16_020).argv[0]).name == "registration-operator"
    assert programs.hosts(["wec001"]) == []
