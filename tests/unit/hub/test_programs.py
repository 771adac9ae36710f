"""The command lines, as golden transcripts, and what makes a program restart."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fleet.errors import UsageError
from fleet.host.files import write_private
from fleet.host.layout import Layout
from fleet.host.plan import Plan, PlannedProgram
from fleet.host.supervisor_config import Program
from fleet.hub.programs import AgentPrograms, Extra, HubPrograms, reads, status_agent
from fleet.hub.upstream import UpstreamFolder
from fleet.spec.fleet_file import ClientLimits

GOLDEN = Path(__file__).parents[2] / "golden" / "hub"
LAYOUT = Layout(Path("/STATE/demo"))
UPSTREAM = UpstreamFolder(Path("/TOOLCHAIN/bin"), Path("/TOOLCHAIN/crds"), check=True)


def golden(name: str, programs: list[Program]) -> None:
    """Compare with the golden file; `FLEET_GOLDEN=accept` writes it anew."""
    path = GOLDEN / f"{name}.txt"
    text = Plan(programs=tuple(PlannedProgram(p, p.name.partition(".")[0], "") for p in programs)).transcript()
    if os.environ.get("FLEET_GOLDEN") == "accept":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_hub_at_the_default_limits() -> None:
    golden("hub-default", HubPrograms(LAYOUT, "its1", 16_000, {"wds1": 16_001}, UPSTREAM).all())


def test_hub_with_limits_arguments_and_environment() -> None:
    limits = ClientLimits(
        transport_wds_qps=1000, transport_wds_burst=2000, controller_its_qps=0.5, max_num_wrapped=512000
    )
    hub = HubPrograms(
        LAYOUT, "its1", 16_000, {"wds1": 16_001}, UPSTREAM, limits,
        Extra(("--kube-api-qps=100",), {"GOGC": "50"}), Extra(("-v=5",)), Extra(("--concurrency=8",)),
    )  # fmt: skip
    golden("hub-extra", hub.all())


def test_agents() -> None:
    agents = AgentPrograms(LAYOUT, UPSTREAM, extra=Extra(("--feature-gates=ClusterClaim=false",), {"GOGC": "100"}))
    status = status_agent(
        Path("/VENV/python"), LAYOUT, Path("/STATE/demo/hub/c.json"), Path("/STATE/demo/hub/k"), Extra()
    )
    golden("agents", [agents.agent("wec001", 16_010), status])


def test_no_listener_is_open_to_the_network() -> None:
    programs = HubPrograms(LAYOUT, "its1", 16_000, {"wds1": 16_001}, UPSTREAM).all()
    programs.append(AgentPrograms(LAYOUT, UPSTREAM).agent("wec001", 16_010))
    listeners = [a for p in programs for a in p.argv if "-address=" in a or a.startswith("--listen=")]
    assert len(listeners) == 8
    assert all("=127.0.0.1:" in listener for listener in listeners)


def test_each_wds_has_a_kubestellar_of_its_own_on_ports_of_its_own() -> None:
    hub = HubPrograms(LAYOUT, "its1", 16_000, {"wds1": 16_001, "wds2": 16_040}, UPSTREAM)
    programs = {program.name: program for program in hub.all()}
    assert list(programs) == [
        "registration.its1", "controller-manager.wds1", "transport.wds1", "controller-manager.wds2", "transport.wds2"
    ]  # fmt: skip
    for name in ("controller-manager.wds2", "transport.wds2"):
        assert "--wds-name=wds2" in programs[name].argv
        assert not any("wds1" in word for word in programs[name].argv)
    listeners = [
        word.rpartition("=")[2] for program in programs.values() for word in program.argv if "127.0.0.1" in word
    ]
    assert len(set(listeners)) == len(listeners) == 13
    assert {address for address in listeners if address > "127.0.0.1:16039"} == {
        f"127.0.0.1:{16_040 + n}" for n in range(6)
    }


def test_a_program_restarts_when_a_file_changes_that_it_read_at_its_start(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    absent = reads(file)
    write_private(file, b"one")
    one = reads(file)
    write_private(file, b"two")
    assert len({str(absent), str(one), str(reads(file))}) == 3
    write_private(file, b"one")
    assert reads(file) == one


def test_an_extra_argument_must_be_a_flag() -> None:
    with pytest.raises(UsageError, match="hub_transport_extra_args: 'oops'"):
        Extra(("--ok=1", "oops")).check("hub_transport_extra_args")
