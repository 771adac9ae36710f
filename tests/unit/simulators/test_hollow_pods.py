"""Hollow nodes in pods: their objects, and how a WEC converges. A remembered engine; real files and TLS."""

from __future__ import annotations

import base64
import json
import socket
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from fleet.errors import DeadlineError, UsageError
from fleet.host.drivers.kind.engine import Record, write_record
from fleet.host.machine import Machine, Options
from fleet.host.plan import ControlPlane, Extra
from fleet.host.pods import pod_programs
from fleet.host.program_folders import ProgramFolders
from fleet.host.records import stored_server
from fleet.install.control_planes import Converged, checking, converge, teardown
from fleet.simulators.hollow import install, objects, pods
from fleet.simulators.hollow.address import addresses, usable
from fleet.simulators.hollow.image import reference_of, write_image
from fleet.simulators.hollow.program import Part
from fleet.testing.fake_engine import FakeEngine
from tests.unit.host import fake_toolchain
from tests.unit.host.kind_nodes import Nodes

WEC = [ControlPlane("wec001", "wec", "kind")]
SHARED = objects.Shared("localhost/fleet-hollow:1", {"GOGC": "50"}, ("--v=2",))


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    fake_toolchain.write(tmp_path / "bin")
    (tmp_path / "bin" / "kind").touch(mode=0o755)
    cluster = Nodes(tmp_path)
    return FakeEngine(cluster.start, cluster.stop)


@pytest.fixture
def machine(tmp_path: Path, engine: FakeEngine) -> Iterator[Machine]:
    with tempfile.TemporaryDirectory(prefix="fp-") as folder, socket.socket(socket.AF_UNIX) as door:
        docker = Path(folder) / "docker.sock"
        door.bind(str(docker))
        archive = tmp_path / "image"
        archive.write_text("fleet/kind-node:1")
        options = Options(
            parallelism=4, ready_seconds=30, node_image="fleet/kind-node:1", node_archive=archive,
            simulator="hollow", wec_nodes=3, hollow_per_process=2, hollow_placement="pods",
        )  # fmt: skip
        programs = ProgramFolders((tmp_path / "bin",))
        found = Machine("demo", Path(folder) / "state" / "demo", programs, options, run=engine)
        engine.on_start.__self__.machine = found  # type: ignore[attr-defined]
        write_record(found.layout, Record(str(docker), own=False, network="fleet-demo", bridge="fk0"))
        try:
            yield found
        finally:
            teardown(found)
            assert not found.root.exists()


def of(machine: Machine, **options: Any) -> Machine:
    return replace(machine, options=replace(machine.options, **options))


def build(machine: Machine) -> Converged:
    return converge(machine, WEC, hub=False)


def asked(machine: Machine, path: str) -> Any:
    endpoint = machine.endpoint("wec001", stored_server(machine, "wec001"))
    return endpoint.request("GET", path).json()


def names(machine: Machine, path: str) -> list[str]:
    return sorted(item["metadata"]["name"] for item in asked(machine, path)["items"])


def test_a_deployment_has_its_address_and_server_by_the_downward_api_and_pulls_nothing() -> None:
    body = objects.deployment(Part(1, 251, 2), SHARED, "credentials")
    pod = body["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["args"] == [
        "--config=/credentials/hollow-1.json", "--server=https://$(HOST_IP):6443", "--address=$(POD_IP)", "--v=2",
    ]  # fmt: skip
    fields = {one["name"]: one["valueFrom"]["fieldRef"]["fieldPath"] for one in container["env"] if "valueFrom" in one}
    assert fields == {"POD_IP": "status.podIP", "HOST_IP": "status.hostIP"}
    assert container["imagePullPolicy"] == "Never"
    assert pod["volumes"][0]["secret"]["secretName"] == "hollow-1"
    assert body["spec"]["replicas"] == 1
    again = objects.deployment(Part(1, 251, 2), SHARED, "others")
    assert again["spec"]["template"]["metadata"] != body["spec"]["template"]["metadata"]


def test_the_largest_secret_fits() -> None:
    part = Part(0, 1, 250)
    pair = b"c" * 900
    files = {f"{name}.{end}": pair for name in objects.identities(part) for end in ("crt", "key")}
    body = objects.secret(part, files)
    assert len(objects.identities(part)) == 251
    assert sum(len(base64.b64decode(value)) for value in body["data"].values()) < 1 << 20


def test_the_image_is_the_program_and_what_it_looks_for(tmp_path: Path) -> None:
    program = tmp_path / "hollow"
    program.write_bytes(b"static")
    write_image(program, tmp_path / "image.tar")
    with tarfile.open(tmp_path / "image.tar") as tar:
        (manifest,) = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
        assert manifest["RepoTags"] == [reference_of(program)]
        config = json.load(tar.extractfile(manifest["Config"]))  # type: ignore[arg-type]
        with tarfile.open(fileobj=tar.extractfile(manifest["Layers"][0])) as layer:
            assert {one.name: one.mode for one in layer} == {
                "tmp": 0o1777, "etc": 0o755, "etc/passwd": 0o644, "etc/group": 0o644, "hollow": 0o755,
            }  # fmt: skip
    assert config["config"]["Entrypoint"] == ["/hollow"]
    assert sorted(tmp_path.iterdir()) == [program, tmp_path / "image.tar"]


def test_nodes_come_grow_shrink_and_go(machine: Machine, engine: FakeEngine) -> None:
    first = build(machine).change
    expected = {"deployment wec001/hollow-0", "secret wec001/hollow-1", "node wec001/hollow-003"}
    assert expected <= set(first.after)
    program = machine.programs.program("hollow")
    assert engine.loaded == {"demo-wec001": {reference_of(program)}}
    assert not build(machine).change.changed
    assert not build(checking(machine)).change.changed
    assert [one.program for one in pod_programs(machine.layout, "wec001")] == ["hollow-0.wec001", "hollow-1.wec001"]
    secret = asked(machine, f"{objects.SECRETS}/hollow-1")["data"]
    assert set(secret) == {
        "ca.crt", "hollow-003.crt", "hollow-003.key", "kube-proxy.crt", "kube-proxy.key", "hollow-1.json",
    }  # fmt: skip
    subject = x509.load_pem_x509_certificate(base64.b64decode(secret["hollow-003.crt"])).subject
    assert subject.rfc4514_string() == "CN=system:node:hollow-003,O=system:nodes"

    promised = build(checking(of(machine, wec_nodes=2))).change
    shrunk = build(of(machine, wec_nodes=2)).change
    assert dict(promised.before) == dict(shrunk.before)
    assert {"deployment wec001/hollow-1", "secret wec001/hollow-1", "node wec001/hollow-003"} <= set(shrunk.before)
    assert names(machine, objects.DEPLOYMENTS) == ["hollow-0"]
    assert not (pods.credentials_folder(machine.layout, "wec001") / "hollow-003.crt").exists()

    gone = build(of(machine, simulator="none")).change
    assert {"program hollow-0.wec001", "node wec001/hollow-001"} <= set(gone.before)
    assert names(machine, objects.DEPLOYMENTS) == []
    assert pod_programs(machine.layout, "wec001") == []
    assert not pods.credentials_folder(machine.layout, "wec001").exists()
    assert not build(of(machine, simulator="none")).change.changed


def test_check_mode_changes_nothing_on_a_machine_without_the_fleet(machine: Machine) -> None:
    before = sorted(machine.root.rglob("*"))
    promised = build(checking(machine)).change
    assert {"nodes wec001", "control plane wec001"} <= set(promised.after)
    assert sorted(machine.root.rglob("*")) == before


def test_a_deployment_that_somebody_scaled_is_repaired(machine: Machine) -> None:
    build(machine)
    path = f"{objects.DEPLOYMENTS}/hollow-0"
    body = asked(machine, path)
    body["spec"]["replicas"] = 0
    machine.endpoint("wec001", stored_server(machine, "wec001")).request("PUT", path, body)
    assert set(build(machine).change.after) == {"deployment wec001/hollow-0"}
    assert asked(machine, path)["spec"]["replicas"] == 1


def test_a_pod_that_does_not_run_is_named_with_what_its_cluster_says(machine: Machine) -> None:
    build(machine)
    dying = [replace(WEC[0], extra=Extra(simulator=("--die",)))]
    with pytest.raises(DeadlineError, match=r"wec001: the pod of hollow-0 did not run within 1 s\nthere is no pod in"):
        converge(of(machine, ready_seconds=1.0), dying, hub=False)


@pytest.mark.skipif(not any(map(usable, addresses())), reason="this machine has loopback addresses alone")
def test_nodes_move_from_pods_to_processes_and_back(machine: Machine) -> None:
    build(machine)
    moved = build(of(machine, hollow_placement="process")).change
    assert f"namespace wec001/{objects.NAMESPACE}" in moved.before
    assert "program hollow-0.wec001" in moved.after
    assert names(machine, objects.DEPLOYMENTS) == []
    assert pod_programs(machine.layout, "wec001") == []
    back = build(machine).change
    assert "program hollow-0.wec001" in back.before
    assert names(machine, objects.DEPLOYMENTS) == ["hollow-0", "hollow-1"]
    assert not {state.name for state in machine.supervisor.states()} & {"hollow-0.wec001", "hollow-1.wec001"}


def test_another_driver_and_too_many_pods_are_refused_before_anything_changes(machine: Machine) -> None:
    with pytest.raises(UsageError, match=r"hollow_placement: pods run on a real node, which the driver process has"):
        converge(machine, [ControlPlane("wec001", "wec", "process")], hub=False)
    with pytest.raises(UsageError, match=r"hollow_per_process: 1 nodes in a pod make 250 pods.* set it to 3 or more"):
        build(of(machine, wec_nodes=250, hollow_per_process=1))
    assert not machine.layout.clusters.exists()


def test_pods_take_no_ports_of_the_machine(machine: Machine) -> None:
    weight = install.SIMULATOR.weight(machine, ["wec001"])
    assert weight.ports == 0
    assert weight.memory == install.SIMULATOR.weight(of(machine, hollow_placement="process"), ["wec001"]).memory
