"""The command lines of KubeFleet's programs, as golden transcripts."""

from __future__ import annotations

from fleet.host.supervisor_config import Program
from fleet.install.program_parts import Extra
from fleet.managers.kubefleet.programs import AGENT_PORTS, HUB_PORTS, AgentPrograms, health, hub_agent
from fleet.model.client_limits import ClientLimits
from tests.unit.golden import check_programs
from tests.unit.managers.ocm.test_programs import LAYOUT, UPSTREAM

AGENT = LAYOUT.root / "agents" / "wec001" / "hub.kubeconfig"


def all_of(limits: ClientLimits, extra: Extra) -> list[Program]:
    agents = AgentPrograms(LAYOUT, UPSTREAM, limits, extra)
    return [hub_agent(LAYOUT, UPSTREAM, 16_010, limits, extra), agents.agent("wec001", AGENT, 16_020)]


def test_at_the_default_limits() -> None:
    check_programs("kubefleet", all_of(ClientLimits(), Extra()))


def test_with_limits_arguments_and_environment() -> None:
    limits = ClientLimits(kubefleet_hub_qps=0.5, kubefleet_member_hub_burst=2000, kubefleet_queue_qps=50)
    check_programs("kubefleet-extra", all_of(limits, Extra(("--v=4",), {"GOGC": "50"})))


def test_every_listener_is_on_loopback_and_a_port_of_its_own() -> None:
    programs = all_of(ClientLimits(), Extra())
    addresses = [word.partition("=")[2] for program in programs for word in program.argv if "-bind-address=" in word]
    assert len(set(addresses)) == len(addresses) == HUB_PORTS + AGENT_PORTS
    assert all(address.startswith("127.0.0.1:") for address in addresses)
    assert health(16_010) == "http://127.0.0.1:16011/healthz"
    assert "--health-probe-bind-address=127.0.0.1:16011" in programs[0].argv
