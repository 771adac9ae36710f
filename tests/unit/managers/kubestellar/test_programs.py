"""The command lines, as golden transcripts, and what makes a program restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.errors import UsageError
from fleet.host.files import write_private
from fleet.host.layout import Layout
from fleet.host.machine import Machine
from fleet.install.program_parts import Extra, reads
from fleet.install.upstream import UpstreamFolders
from fleet.managers.kubestellar.converge import HubSpec
from fleet.managers.kubestellar.programs import HubPrograms, status_agent
from fleet.managers.ocm.programs import AgentPrograms
from fleet.model.client_limits import ClientLimits
from tests.unit.golden import check_programs

LAYOUT = Layout(Path("/STATE/demo"))
UPSTREAM = UpstreamFolders((Path("/TOOLCHAIN/bin"),), check=True)


def test_hub_at_the_default_limits() -> None:
    check_programs("hub-default", HubPrograms(LAYOUT, "its1", 16_000, {"wds1": 16_001}, UPSTREAM).all())


def test_hub_with_limits_arguments_and_environment() -> None:
    limits = ClientLimits(
        transport_wds_qps=1000, transport_wds_burst=2000, controller_its_qps=0.5, max_num_wrapped=512000
    )
    hub = HubPrograms(
        LAYOUT, "its1", 16_000, {"wds1": 16_001}, UPSTREAM, limits,
        Extra(("--kube-api-qps=100",), {"GOGC": "50"}), Extra(("-v=5",)), Extra(("--concurrency=8",)),
    )  # fmt: skip
    check_programs("hub-extra", hub.all())


def test_agents() -> None:
    agents = AgentPrograms(LAYOUT, UPSTREAM, extra=Extra(("--feature-gates=ClusterClaim=false",), {"GOGC": "100"}))
    status = status_agent(
        Path("/VENV/python"), LAYOUT, Path("/STATE/demo/hub/c.json"), Path("/STATE/demo/hub/k"), Extra()
    )
    check_programs("agents", [agents.agent("wec001", 16_010), status])


def test_agents_at_a_further_its_share_nothing_with_those_at_the_first() -> None:
    agents = AgentPrograms(LAYOUT, UPSTREAM)
    files = Path("/STATE/demo/hub/c.json"), Path("/STATE/demo/hub/k")
    status = status_agent(Path("/VENV/python"), LAYOUT, *files, Extra(), seat="its2")
    check_programs("agents-its2", [agents.agent("wec001", 16_020, "its2"), status])
    first, second = (set(agents.agent("wec001", 1, seat).argv) for seat in ("", "its2"))
    differing = {word.partition("=")[0] for word in first ^ second}
    assert differing == {
        "--agent-id", "--bootstrap-kubeconfig", "--hub-kubeconfig", "--hub-kubeconfig-dir", "--hub-kubeconfig-secret",
        "--workload-source-config",
    }  # fmt: skip


def hub_of(itses: int, wdses: int, serving: int | None = None) -> HubSpec:
    machine = Machine("demo", LAYOUT.root, UPSTREAM, check=True)
    names = [tuple(f"{kind}{n}" for n in range(1, count + 1)) for kind, count in (("its", itses), ("wds", wdses))]
    return HubSpec(machine, UPSTREAM, its="its1", further=names[0][1:], wdses=names[1], serving=serving)


def test_several_itses_are_taken_in_turn_each_with_programs_of_its_own() -> None:
    spec = hub_of(2, 3, serving=2)
    spec.check()
    assert [spec.wdses_of(its) for its in spec.itses] == [("wds1", "wds3"), ("wds2",)]
    made = spec.programs({"its1": 16_000, "its2": 16_050}, {f"wds{n}": 16_000 + 10 * n for n in (1, 2, 3)})
    check_programs("hub-itses", made)
    assert [program.name for program in made] == [
        "registration.its1", "controller-manager.wds1", "transport.wds1",
        "registration.its2", "controller-manager.wds2", "transport.wds2",
    ]  # fmt: skip
    for program in made:
        own, other = ("its1", "its2") if program.name in {p.name for p in made[:3]} else ("its2", "its1")
        words = [*program.argv, program.env.get("KUBECONFIG", "")]
        assert any(own in word for word in words)
        assert not any(other in word for word in words)


def test_more_itses_than_wdses_are_refused() -> None:
    with pytest.raises(UsageError, match="its_count: 3 is not from 1 to 2"):
        hub_of(3, 2).check()


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
