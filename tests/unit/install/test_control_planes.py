"""A machine converges: up, down, changed, repaired, taken down. Real supervisord and TLS, programs that only listen."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from fleet.errors import HostError, ToolchainError
from fleet.host.machine import Machine, Options
from fleet.host.plan import ControlPlane, Extra, NodeShape
from fleet.host.process_stats import weigh
from fleet.host.program_folders import ProgramFolders
from fleet.host.ready import is_ready
from fleet.host.records import stored_planes, stored_server
from fleet.install.control_planes import Converged, checking, converge, driver_of, teardown
from fleet.simulators import node_objects
from fleet.simulators.kwok.program import KwokPlayer
from tests.unit.host import fake_toolchain


@pytest.fixture
def machine() -> Iterator[Machine]:
    with tempfile.TemporaryDirectory(prefix="fh-") as folder:
        programs = ProgramFolders((fake_toolchain.write(Path(folder) / "bin"),))
        options = Options(parallelism=4, ready_seconds=30, simulator="kwok")
        found = Machine("demo", Path(folder) / "state" / "demo", programs, options)
        try:
            yield found
        finally:
            teardown(found)


def wecs(*numbers: int, extra: Extra | None = None) -> list[ControlPlane]:
    return [ControlPlane(f"wec{number:03d}", "wec", "process", extra=extra or Extra()) for number in numbers]


def build(machine: Machine, planes: Sequence[ControlPlane]) -> Converged:
    return converge(machine, planes, hub=False)


def pids(machine: Machine) -> dict[str, int]:
    return {state.name: state.pid for state in machine.supervisor.states()}


def test_up_down_and_the_same_again(machine: Machine) -> None:
    first = build(machine, wecs(1, 2))
    assert {"control plane wec001", "node wec001/kwok-001", "program kwok.wec002"} <= set(first.change.after)
    assert not build(machine, wecs(1, 2)).change.changed
    before = pids(machine)
    assert len(before) == 10  # etcd, API server, controller manager, scheduler and kwok of two

    build(machine, wecs(2, 3))
    after = pids(machine)
    assert {name: pid for name, pid in after.items() if name.endswith("wec002")} == {
        name: pid for name, pid in before.items() if name.endswith("wec002")
    }
    assert sorted({name.split(".")[1] for name in after}) == ["wec002", "wec003"]
    assert not machine.layout.cluster("wec001").exists()
    assert not list(machine.layout.log.glob("*wec001*"))
    assert {block.owner for block in machine.registry.blocks()} == {"wec002", "wec003"}


def test_check_mode_promises_what_the_run_then_does(machine: Machine) -> None:
    promised = build(checking(machine), wecs(1)).change
    assert not machine.root.exists()
    done = build(machine, wecs(1)).change
    assert {name for name in done.after if "node" not in name} == {
        name for name in promised.after if "node" not in name
    }
    assert not build(checking(machine), wecs(1)).change.changed
    assert build(checking(machine), wecs(2)).change.changed
    assert [stored.name for stored in stored_planes(machine.layout)] == ["wec001"]


def test_changed_arguments_restart_only_what_they_change(machine: Machine) -> None:
    build(machine, wecs(1))
    before = pids(machine)
    build(machine, wecs(1, extra=Extra(kcm=("--v=3",))))
    after = pids(machine)
    assert [name for name in before if before[name] != after[name]] == ["kube-controller-manager.wec001"]


def test_nodes_grow_and_shrink(machine: Machine) -> None:
    build(machine, wecs(1))
    more = replace(machine, options=replace(machine.options, wec_nodes=3))
    assert sorted(build(more, wecs(1)).change.after) == ["node wec001/kwok-002", "node wec001/kwok-003"]
    assert sorted(build(machine, wecs(1)).change.before) == ["node wec001/kwok-002", "node wec001/kwok-003"]
    endpoint = machine.endpoint("wec001", stored_server(machine, "wec001"))
    assert KwokPlayer().converge(checking(machine), wecs(1)[0], endpoint) == ([], [])


def test_another_simulator_takes_over_without_a_restart_of_control_planes(machine: Machine) -> None:
    build(machine, wecs(1, 2))
    before = pids(machine)
    bare = replace(machine, options=replace(machine.options, simulator="none"))
    gone = build(bare, wecs(1, 2)).change
    assert {"program kwok.wec001", "node wec001/kwok-001", "node wec002/kwok-001"} <= set(gone.before)
    assert pids(machine) == {name: pid for name, pid in before.items() if not name.startswith("kwok.")}
    assert not build(bare, wecs(1, 2)).change.changed
    assert {"program kwok.wec001", "node wec001/kwok-001"} <= set(build(machine, wecs(1, 2)).change.after)


def test_a_supervisor_that_was_killed_is_repaired_on_the_same_ports(machine: Machine) -> None:
    server = build(machine, wecs(1)).planes[0].server
    old = pids(machine)
    (daemon,) = machine.supervisor.daemon.processes()
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.wait()
    again = build(machine, wecs(1))
    assert again.change.changed
    assert again.planes[0].server == server
    assert not [pid for pid in old.values() if psutil.pid_exists(pid)]


def test_a_half_made_control_plane_is_finished_or_removed(machine: Machine) -> None:
    build(machine, wecs(1, 2))
    for name in ("kubeconfig", "pki/kube-apiserver.crt"):
        (machine.layout.cluster("wec001") / name).unlink()
    (machine.layout.cluster("wec002") / "kubeconfig").unlink()
    assert build(machine, wecs(1)).change.changed
    assert machine.layout.kubeconfig("wec001").exists()
    assert not machine.layout.cluster("wec002").exists()


def test_an_api_server_that_dies_is_named_with_its_last_lines(machine: Machine) -> None:
    with pytest.raises(HostError, match=r"kube-apiserver\.wec001 died at once[\s\S]*no such flag: --die"):
        build(machine, wecs(1, extra=Extra(apiserver=("--die=1",))))
    assert build(machine, wecs(1)).change.changed


def test_one_control_plane_stops_and_starts(machine: Machine) -> None:
    build(machine, wecs(1))
    driver = driver_of(machine, "wec001")
    endpoint = machine.endpoint("wec001", stored_server(machine, "wec001"))
    driver.stop("wec001")
    assert not is_ready(endpoint)[0]
    driver.start("wec001")
    assert is_ready(endpoint)[0]
    assert [share.component for share in driver.processes("wec001")] == [
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
    ]


def test_the_hub_and_the_wecs_do_not_touch_each_other(machine: Machine) -> None:
    build(machine, wecs(1))
    before = pids(machine)
    converge(machine, [ControlPlane("its1", "its"), ControlPlane("wds1", "wds")], hub=True)
    build(machine, [])
    assert sorted({name.split(".")[1] for name in pids(machine)}) == ["its1", "wds1"]
    assert not set(pids(machine).values()) & set(before.values())
    assert {stored.role for stored in stored_planes(machine.layout)} == {"its", "wds"}


def test_everything_is_private_and_teardown_leaves_nothing(machine: Machine) -> None:
    build(machine, wecs(1))
    for path in machine.root.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    weights = weigh(machine.root)
    assert {weight.program for weight in weights} == {*pids(machine), "supervisord"}
    assert all(weight.rss > 0 and weight.descriptors > 0 for weight in weights)
    assert teardown(checking(machine)).changed
    assert machine.root.exists()
    assert teardown(machine).changed
    assert not machine.root.exists()
    assert not machine.registry.file.exists()
    assert not [weight for weight in weights if psutil.pid_exists(weight.pid)]
    assert not teardown(machine).changed


def test_a_missing_program_is_named_before_anything_is_changed(machine: Machine) -> None:
    (machine.programs.program("kwok").parent / "etcd").unlink()
    with pytest.raises(ToolchainError, match="no executable etcd"):
        build(machine, wecs(1))
    assert machine.supervisor.states() == []


def test_nodes_get_another_shape_and_lose_it_again(machine: Machine) -> None:
    build(machine, wecs(1))
    taint = {"key": "k", "effect": "NoSchedule"}
    shape = NodeShape({"a": "b"}, {"devices/x": "1k"}, (taint,), {"plain-one": {"role": "infra"}})
    shaped = [replace(plane, nodes=shape) for plane in wecs(1)]
    assert sorted(build(machine, shaped).change.after) == ["node wec001/kwok-001", "node wec001/plain-one"]
    endpoint = machine.endpoint("wec001", stored_server(machine, "wec001"))
    one, other = node_objects.of_simulator("wec001", endpoint, "fake")
    assert (one["metadata"]["labels"]["a"], one["spec"]["taints"]) == ("b", [taint])
    assert one["status"]["capacity"] == {"cpu": "32", "memory": "256Gi", "pods": "110", "devices/x": "1k"}
    assert (other["metadata"]["labels"]["role"], "taints" in other.get("spec", {})) == ("infra", False)
    assert not build(machine, shaped).change.changed
    assert not build(checking(machine), shaped).change.changed

    assert sorted(build(machine, wecs(1)).change.before) == ["node wec001/kwok-001", "node wec001/plain-one"]
    (left,) = node_objects.of_simulator("wec001", endpoint, "fake")
    assert "a" not in left["metadata"]["labels"]
    assert not build(machine, wecs(1)).change.changed
