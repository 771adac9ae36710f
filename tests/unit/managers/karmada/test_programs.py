"""The command lines of Karmada's programs, as golden transcripts."""

from __future__ import annotations

from fleet.host.stores import plan_store
from fleet.host.supervisor_config import Program
from fleet.install.program_parts import Extra
from fleet.managers.karmada import names
from fleet.managers.karmada.programs import PORTS, AgentPrograms, HubPrograms, health
from fleet.model.client_limits import ClientLimits
from tests.unit.golden import check_programs
from tests.unit.managers.ocm.test_programs import LAYOUT, UPSTREAM

PKI = LAYOUT.cluster(names.HUB) / "pki"
STORE = plan_store(names.HUB, LAYOUT.cluster(names.HUB) / "etcd", PKI, 16_001, 16_002)
AGENT = LAYOUT.root / "agents" / "wec001" / "hub.kubeconfig"


def all_of(limits: ClientLimits, extra: Extra) -> list[Program]:
    hub = HubPrograms(LAYOUT, UPSTREAM, limits)
    agent = AgentPrograms(LAYOUT, UPSTREAM, limits, extra)
    return [
        hub.aggregated(16_010, STORE, extra),
        hub.webhook(16_012, extra),
        hub.controller(16_016, extra),
        hub.scheduler(16_019, extra),
        agent.agent("wec001", "https://127.0.0.1:16030", AGENT, 16_022),
    ]


def test_at_the_default_limits() -> None:
    check_programs("karmada", all_of(ClientLimits(), Extra()))


def test_with_limits_arguments_and_environment() -> None:
    limits = ClientLimits(karmada_controller_qps=1000, karmada_agent_wec_burst=2000, karmada_scheduler_queue_qps=50)
    check_programs("karmada-extra", all_of(limits, Extra(("--v=4",), {"GOGC": "50"})))


def test_every_listener_is_on_loopback_and_a_port_of_its_own() -> None:
    programs = all_of(ClientLimits(), Extra())
    words = [word for program in programs for word in program.argv]
    addresses = [word.partition("=")[2] for word in words if word.startswith(("--metrics-", "--health-", "--profil"))]
    addresses += [f"127.0.0.1:{word.partition('=')[2]}" for word in words if word.startswith("--secure-port=")]
    assert len(set(addresses)) == len(addresses) == sum(PORTS.values())
    assert all(address.startswith("127.0.0.1:") for address in addresses)
    assert [word for word in words if word.startswith("--bind-address=")] == ["--bind-address=127.0.0.1"] * 2


def test_health_is_asked_where_a_program_listens_for_it() -> None:
    for program in all_of(ClientLimits(), Extra())[2:4]:
        flags = dict(word.split("=", 1) for word in program.argv if "=" in word)
        first = int(flags["--metrics-bind-address"].rpartition(":")[2])
        assert health(first) == f"http://{flags['--health-probe-bind-address']}/healthz"
