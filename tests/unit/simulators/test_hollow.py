"""Hollow nodes on a machine: real supervisord and TLS, and a program that registers its nodes as a kubelet does."""

from __future__ import annotations

import json
import resource
import socket
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from fleet.errors import CapacityError, DeadlineError, UsageError
from fleet.host.layout import Layout
from fleet.host.machine import Machine, Options
from fleet.host.pages import Started
from fleet.host.plan import ControlPlane
from fleet.host.program_folders import ProgramFolders
from fleet.host.records import stored_planes
from fleet.install.control_planes import Converged, checking, converge, teardown
from fleet.simulators import simulator as simulators
from fleet.simulators.group import ProgramGroup
from fleet.simulators.hollow import install, pods, program, weights
from fleet.simulators.hollow.address import addresses, node_address, usable
from fleet.simulators.hollow.admin import HollowAdmin, HollowNode
from fleet.simulators.hollow.program import Part, parts
from tests.unit.host import fake_toolchain

WEC = [ControlPlane("wec001", "wec", "process")]
NO_ADDRESS = not any(usable(address) for address in addresses())


@pytest.fixture
def machine() -> Iterator[Machine]:
    with tempfile.TemporaryDirectory(prefix="fh-") as folder:
        programs = ProgramFolders((fake_toolchain.write(Path(folder) / "bin"),))
        options = Options(parallelism=4, ready_seconds=30, simulator="hollow", wec_nodes=3, hollow_per_process=2)
        found = Machine("demo", Path(folder) / "state" / "demo", programs, options)
        try:
            yield found
        finally:
            teardown(found)


def of(machine: Machine, **options: Any) -> Machine:
    return replace(machine, options=replace(machine.options, **options))


def build(machine: Machine) -> Converged:
    return converge(machine, WEC, hub=False)


def running(machine: Machine) -> set[str]:
    return {state.name for state in machine.supervisor.states() if state.running}


def test_nodes_are_spread_over_full_processes_first() -> None:
    assert list(parts(5, 2)) == [Part(0, 1, 2), Part(1, 3, 2), Part(2, 5, 1)]
    assert list(parts(4, 2)) == [Part(0, 1, 2), Part(1, 3, 2)]
    assert list(parts(0, 2)) == []
    assert Part(1, 3, 2).program("wec001") == "hollow-1.wec001"


@pytest.mark.skipif(NO_ADDRESS, reason="this machine has loopback addresses alone")
def test_nodes_come_grow_shrink_and_go(machine: Machine) -> None:
    first = build(machine).change
    assert {"program hollow-0.wec001", "program hollow-1.wec001", "node wec001/hollow-003"} <= set(first.after)
    assert not build(machine).change.changed
    assert not build(checking(machine)).change.changed
    settings = [json.loads(path.read_text()) for path in sorted(machine.layout.cluster("wec001").glob("hollow-*.json"))]
    assert [(each["first"], each["count"]) for each in settings] == [(1, 2), (3, 1)]
    blocks = {block.owner: block for block in machine.registry.blocks()}
    assert (blocks["hollow-0.wec001"].count, settings[0]["port"]) == (2, blocks["hollow-0.wec001"].start)

    build(of(machine, wec_nodes=2))
    assert "hollow-1.wec001" not in running(machine)
    assert {block.owner for block in machine.registry.blocks()} == {"wec001", "hollow-0.wec001"}
    assert not (machine.layout.cluster("wec001") / "hollow-1.json").exists()
    assert not list(machine.layout.log.glob("hollow-1*"))

    gone = build(of(machine, simulator="none")).change
    assert {"program hollow-0.wec001", "node wec001/hollow-001", "node wec001/hollow-002"} <= set(gone.before)
    assert not list(machine.layout.cluster("wec001").glob("hollow*"))
    assert {block.owner for block in machine.registry.blocks()} == {"wec001"}


@pytest.mark.skipif(NO_ADDRESS, reason="this machine has loopback addresses alone")
def test_check_mode_promises_what_the_run_then_does(machine: Machine) -> None:
    promised = build(checking(machine)).change
    assert not machine.root.exists()
    assert {"program hollow-0.wec001", "program hollow-1.wec001", "nodes wec001"} <= set(promised.after)


@pytest.mark.skipif(NO_ADDRESS, reason="this machine has loopback addresses alone")
def test_kwok_and_hollow_nodes_side_by_side(machine: Machine) -> None:
    mixed = of(machine, simulator="mixed", hollow_nodes=1)
    done = build(mixed).change
    assert {"node wec001/kwok-001", "node wec001/kwok-002", "node wec001/hollow-001"} <= set(done.after)
    assert {"kwok.wec001", "hollow-0.wec001"} <= running(machine)
    assert not build(mixed).change.changed
    alone = build(of(machine, simulator="kwok", wec_nodes=2)).change
    assert sorted(name for name in alone.before if name.startswith("node")) == ["node wec001/hollow-001"]
    assert "hollow-0.wec001" not in running(machine)


def test_an_address_that_a_kubelet_refuses_is_refused_before_anything_changes(machine: Machine) -> None:
    with pytest.raises(UsageError, match=r"hollow_address: a kubelet refuses 127\.0\.0\.1"):
        build(of(machine, hollow_address="127.0.0.1"))
    with pytest.raises(UsageError, match=r"hollow_address: 192\.0\.2\.199 is no address of this machine"):
        build(of(machine, hollow_address="192.0.2.199"))
    assert not machine.root.exists()


def test_the_machine_s_own_address_is_the_first_that_fits() -> None:
    assert node_address("", ["127.0.0.1", "169.254.3.4", "192.0.2.7", "192.0.2.8"]) == "192.0.2.7"
    assert node_address("192.0.2.8", ["192.0.2.7", "192.0.2.8"]) == "192.0.2.8"
    with pytest.raises(UsageError, match=r"hollow_address: .*ip address add"):
        node_address("", ["127.0.0.1"])


def test_addresses_are_those_of_this_machine() -> None:
    every = {e.address for entries in psutil.net_if_addrs().values() for e in entries if e.family == socket.AF_INET}
    assert set(addresses()) <= every
    assert "127.0.0.1" in addresses()


def test_a_folder_that_is_too_deep_for_a_socket_is_refused(machine: Machine) -> None:
    deep = replace(machine, root=machine.root / ("deep" * 20))
    with pytest.raises(UsageError, match=r"fleet_state_dir: .* characters"):
        build(of(deep, hollow_address=next((a for a in addresses() if usable(a)), "")))


def test_a_missing_kernel_log_is_said(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if NO_ADDRESS:
        pytest.skip("this machine has loopback addresses alone")
    monkeypatch.setattr(program, "KERNEL_LOG", tmp_path / "kmsg")
    install.SIMULATOR.check(machine, WEC)
    (said,) = machine.notes
    assert said.startswith(f"{tmp_path / 'kmsg'} cannot be read by this user: hollow nodes record no events")


def test_a_process_that_may_not_open_enough_files_is_refused(machine: Machine) -> None:
    if NO_ADDRESS:
        pytest.skip("this machine has loopback addresses alone")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        pytest.skip("there is no limit here")
    nodes = (hard - install.DESCRIPTORS_BASE) // install.DESCRIPTORS_PER_NODE
    most = of(machine, wec_nodes=nodes + 1, hollow_per_process=nodes + 1)
    with pytest.raises(CapacityError, match=rf"hollow_per_process: .* set hollow_per_process={nodes}"):
        install.SIMULATOR.check(most, WEC)
    install.SIMULATOR.check(of(most, hollow_per_process=nodes), WEC)


def test_the_preflight_weighs_what_is_not_there_yet(machine: Machine) -> None:
    all_of_it = install.SIMULATOR.weight(machine, ["wec001"])
    assert all_of_it.ports == 3
    assert all_of_it.memory == 3 * weights.PER_NODE.memory + 2 * weights.PER_PROCESS.memory
    machine.root.parent.mkdir(parents=True)
    machine.registry.take("demo", "hollow-0.wec001", 2)
    rest = install.SIMULATOR.weight(machine, ["wec001"])
    assert (rest.ports, rest.memory) == (1, weights.PER_NODE.memory + weights.PER_PROCESS.memory)


def test_more_nodes_than_ports_are_refused(machine: Machine) -> None:
    machine.root.parent.mkdir(parents=True)
    with pytest.raises(CapacityError, match=r"no 60000 consecutive free ports for hollow-0\.wec001"):
        machine.registry.take("demo", "hollow-0.wec001", 60_000)


def test_pages_are_the_first_node_s_and_the_admin_socket_s(tmp_path: Path) -> None:
    config = tmp_path / "hollow-0.json"
    config.write_text(json.dumps({"address": "192.0.2.7", "port": 20000, "admin_socket": "/run/h.sock"}))
    layout = Layout(tmp_path)
    pages = install.of_hollow(Started(layout, {}, "wec001", ["hollow", f"--config={config}"]))
    assert (pages.metrics, pages.pprof) == ("https://192.0.2.7:20000/metrics", "unix:/run/h.sock:/debug/pprof")
    assert pages.tls is not None
    assert pages.tls.cert == str(layout.cluster("wec001") / "pki" / "admin.crt")
    assert install.of_hollow(Started(layout, {}, "wec001", ["hollow", "--config=/gone"])).metrics == ""


def test_the_admin_socket_is_spoken_to(tmp_path: Path) -> None:
    path = tmp_path / "s"
    body = json.dumps({"name": "n", "address": "a", "port": 1, "pods": 2, "partitioned": True}).encode()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(30)
        heard: list[bytes] = []

        def serve() -> None:
            made, _ = listener.accept()
            with made:
                heard.append(made.recv(4096))
                made.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

        thread = threading.Thread(target=serve)
        thread.start()
        assert HollowAdmin(path).partition("n") == HollowNode("n", "a", 1, 2, partitioned=True)
        thread.join(30)
    assert heard[0].startswith(b"POST /nodes/n/partition ")


def test_every_simulator_says_what_its_nodes_ask_of_an_api_server() -> None:
    for name in simulators.known():
        each = simulators.simulator(name)
        assert each.load
        assert set(each.parts) <= set(simulators.known())


@pytest.mark.skipif(NO_ADDRESS, reason="this machine has loopback addresses alone")
def test_an_api_server_that_is_silent_is_waited_for_and_named_at_the_end(machine: Machine) -> None:
    build(machine)
    (stored,) = stored_planes(machine.layout)
    machine.supervisor.stop("kube-apiserver.wec001")
    group = ProgramGroup(of(machine, ready_seconds=0.3), WEC, program.HollowPlayer(pods.leave))
    with pytest.raises(DeadlineError, match=r"0 of 3 simulated nodes were ready within 0 s \(.* does not answer"):
        group._wait(WEC[0], stored.server)
