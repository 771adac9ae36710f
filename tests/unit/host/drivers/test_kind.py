"""Kind clusters converge: made, left alone, replaced, stopped, taken away. A remembered engine; real files and TLS."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from fleet.errors import HostError, UsageError
from fleet.host.drivers.kind import config as kind_config
from fleet.host.drivers.kind import engine_daemon
from fleet.host.drivers.kind import engine_setup as kind_engine
from fleet.host.drivers.kind.driver import plan_kind
from fleet.host.drivers.kind.engine import Record, read_record, write_record
from fleet.host.layout import Layout
from fleet.host.machine import Machine, Options
from fleet.host.plan import ControlPlane, Extra
from fleet.host.ports import Block
from fleet.host.program_folders import ProgramFolders
from fleet.host.ready import is_ready
from fleet.host.records import stored_server
from fleet.install.control_planes import checking, converge, driver_of, teardown
from fleet.testing.fake_engine import FakeEngine
from tests.unit.host import fake_toolchain
from tests.unit.host.kind_nodes import Nodes
from tests.unit.host.test_plan import EXTRA, golden

MACHINE = Machine(
    "demo",
    Path("/STATE/demo"),
    ProgramFolders((Path("/TOOLCHAIN"),), check=True),
    Options(node_image="fleet/kind-node:1"),
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FakeEngine]:
    fake_toolchain.write(tmp_path / "bin")
    kind = tmp_path / "bin" / "kind"
    kind.touch(mode=0o755)
    nodes = Nodes(tmp_path)
    found = FakeEngine(nodes.start, nodes.stop)
    with tempfile.TemporaryDirectory(prefix="fk-") as folder, socket.socket(socket.AF_UNIX) as door:
        docker = Path(folder) / "docker.sock"
        door.bind(str(docker))
        archive = tmp_path / "image"
        archive.write_text("fleet/kind-node:1")
        options = Options(
            parallelism=4, ready_seconds=30, simulator="kwok", node_image="fleet/kind-node:1", node_archive=archive
        )
        programs = ProgramFolders((tmp_path / "bin",))
        machine = Machine("demo", Path(folder) / "state" / "demo", programs, options, run=found)
        nodes.machine = machine
        write_record(
            machine.layout,
            Record(str(docker), own=False, network="fleet-demo", bridge="fk0", image="fleet/kind-node:1"),
        )
        try:
            yield found
        finally:
            teardown(machine)
            assert not nodes.running
            assert not machine.root.exists()


@pytest.fixture
def machine(engine: FakeEngine) -> Machine:
    found: Machine = engine.on_start.__self__.machine  # type: ignore[attr-defined]
    return found


def wecs(*numbers: int, extra: Extra | None = None) -> list[ControlPlane]:
    return [ControlPlane(f"wec{number:03d}", "wec", "kind", extra=extra or Extra()) for number in numbers]


def made(engine: FakeEngine) -> int:
    return engine.calls.count("kind create cluster")


def test_up_the_same_again_and_down(machine: Machine, engine: FakeEngine) -> None:
    first = converge(machine, wecs(1, 2), hub=False)
    assert {"control plane wec001", "kind cluster wec002", "image fleet/kind-node:1"} <= set(first.change.after)
    assert {plane.driver for plane in first.planes} == {"kind"}
    assert engine.containers == {"demo-wec001-control-plane": True, "demo-wec002-control-plane": True}
    assert machine.layout.kubeconfig("wec001").stat().st_mode & 0o777 == 0o600
    for again in (machine, checking(machine)):
        assert not converge(again, wecs(1, 2), hub=False).change.changed
    assert made(engine) == 2

    fewer = converge(machine, wecs(2), hub=False)
    assert fewer.change.before["control plane wec001"] == "kind"
    assert engine.containers == {"demo-wec002-control-plane": True}
    assert not machine.layout.cluster("wec001").exists()

    converge(machine, [], hub=False)
    assert (engine.containers, engine.networks, engine.images) == ({}, set(), set())
    assert read_record(machine.layout) is None


def test_check_mode_makes_nothing(machine: Machine, engine: FakeEngine) -> None:
    change = converge(checking(machine), wecs(1), hub=False).change
    assert change.after["kind cluster wec001"] == "running"
    assert made(engine) == 0
    assert not machine.layout.cluster("wec001").exists()


def test_a_half_made_cluster_is_replaced_and_others_are_left_alone(machine: Machine, engine: FakeEngine) -> None:
    engine.broken.add("demo-wec002")
    with pytest.raises(HostError, match="wec002: kind made no cluster: failed to init node"):
        converge(machine, wecs(1, 2), hub=False)
    assert engine.containers["demo-wec002-control-plane"]
    engine.broken.clear()
    change = converge(machine, wecs(1, 2), hub=False).change
    assert change.before["kind cluster wec002"] == "half-made"
    assert "kind cluster wec001" not in change.after
    assert made(engine) == 3


def test_a_stopped_one_is_started_and_another_configuration_is_another_cluster(
    machine: Machine, engine: FakeEngine
) -> None:
    converge(machine, wecs(1), hub=False)
    driver = driver_of(machine, "wec001")
    driver.stop("wec001")
    assert not is_ready(machine.endpoint("wec001", stored_server(machine, "wec001")))[0]
    driver.start("wec001")
    assert is_ready(machine.endpoint("wec001", stored_server(machine, "wec001")))[0]
    driver.stop("wec001")
    assert converge(machine, wecs(1), hub=False).change.before == {"kind cluster wec001": "stopped"}
    assert made(engine) == 1

    change = converge(machine, wecs(1, extra=Extra(apiserver=("--v=2",))), hub=False).change
    assert change.before["kind cluster wec001"] == "of another configuration"
    assert made(engine) == 2


def test_a_wec_may_change_its_driver(machine: Machine, engine: FakeEngine) -> None:
    converge(machine, wecs(1), hub=False)
    converge(machine, [replace(plane, driver="process") for plane in wecs(1)], hub=False)
    assert engine.containers == {}
    assert not machine.layout.engine.exists()


def test_what_is_asked_of_kind() -> None:
    golden(
        "kind-wec",
        plan_kind(MACHINE, ControlPlane("wec001", "wec", "kind", extra=EXTRA), Block("demo", "w", 16_000, 1)),
    )


def test_a_published_image_brings_its_own_network() -> None:
    plane = ControlPlane("wec001", "wec", "kind")
    text = kind_config.render(Layout(Path("/STATE")), "demo", plane, 16_000, "kindest/node:v1@sha256:0")
    assert "disableDefaultCNI: false" in text


def test_the_audit_log_of_a_node_lies_in_the_folder_of_its_cluster() -> None:
    plane = replace(wecs(1)[0], audit="sample")
    plan = plan_kind(MACHINE, plane, Block("demo", "w", 16_000, 1))
    document = yaml.safe_load(plan.texts[-1].text)
    folder = MACHINE.layout.cluster(plane.name) / "audit"
    there = {mount["containerPath"]: mount["hostPath"] for mount in document["nodes"][0]["extraMounts"]}
    api = yaml.safe_load(document["kubeadmConfigPatches"][0])["apiServer"]
    assert there["/fleet/audit"] == str(folder)
    assert folder in plan.directories
    assert [text.path for text in plan.texts[1:-1]] == [folder / "sample.json"]
    assert api["extraArgs"]["audit-log-path"] == "/fleet/audit/audit.log"
    assert api["extraArgs"]["audit-policy-file"] == "/fleet/audit/sample.json"
    assert [volume["hostPath"] for volume in api["extraVolumes"]] == ["/fleet/audit"]


def test_refused_before_anything_is_changed() -> None:
    plane = ControlPlane("wec001", "wec", "kind")
    with pytest.raises(UsageError, match="kind_node_image"):
        kind_engine.check_kind(replace(MACHINE, options=Options()), [plane])
    with pytest.raises(UsageError, match="control_plane_env"):
        kind_engine.check_kind(MACHINE, [replace(plane, extra=Extra(env={"A": "b"}))])
    with pytest.raises(UsageError, match="control_plane_kcm_env"):
        kind_engine.check_kind(MACHINE, [replace(plane, extra=Extra(env_of={"kcm": {"A": "b"}}))])
    with pytest.raises(UsageError, match="at most 63"):
        kind_config.container_name("f" * 40, "w" * 10)


def test_the_daemon_touches_nothing_outside_its_folder() -> None:
    argv = engine_daemon.dockerd(Layout(Path("/S/demo")), "demo", 20, Path("/T/fleet-runc")).argv
    assert {"--iptables=false", "--ip-forward=false", "--bridge=none", "--default-runtime=fleet-runc"} <= set(argv)
    paths = [word.partition("=")[2].removeprefix("unix://") for word in argv if "=" in word and "/" in word]
    assert [path for path in paths if not path.startswith(("/S/demo/", "/fleet-kind-demo", "fleet-runc="))] == []
    assert "--oom-score-adjust=0" in argv
    assert "--oom-score-adjust=0" not in engine_daemon.dockerd(Layout(Path("/S")), "demo", 28, None).argv


@pytest.mark.parametrize(
    ("mask", "there"), [("000001ffffffffff", True), ("000001fffeffffff", False), ("00000000a80425fb", False)]
)
def test_the_capability_is_read_from_the_bounding_set(tmp_path: Path, mask: str, there: bool) -> None:
    status = tmp_path / "status"
    status.write_text(f"Name:\tx\nCapEff:\t000001ffffffffff\nCapBnd:\t{mask}\n")
    assert engine_daemon.has_sys_resource(status) is there


def test_versions_and_mounts_are_read(tmp_path: Path) -> None:
    assert engine_daemon.major("Docker version 20.10.24+dfsg1, build 297e128") == 20
    assert engine_daemon.major("something else") == 0
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 0:20 / /S/demo/engine/data rw - ext4 x rw\n23 1 0:21 / /S/demo/engine/data/a\\040b rw - tmpfs x rw\n"
        "24 1 0:22 / /S/other rw - tmpfs x rw\n"
    )
    assert engine_daemon.mounts_below(Path("/S/demo"), table) == [
        Path("/S/demo/engine/data/a b"),
        Path("/S/demo/engine/data"),
    ]
