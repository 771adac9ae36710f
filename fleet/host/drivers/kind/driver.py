"""The driver `kind`: each control plane is a kind cluster of one node, in a container engine of this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fleet.errors import DeadlineError, HostError
from fleet.host import audit
from fleet.host.change import Change
from fleet.host.drivers.driver import DriverKind, Ready, Share, always
from fleet.host.drivers.kind import config as kind_config
from fleet.host.drivers.kind import engine_daemon
from fleet.host.drivers.kind import engine_setup as kind_engine
from fleet.host.drivers.kind.engine import Engine
from fleet.host.files import write_private
from fleet.host.machine import Machine
from fleet.host.materialise import materialise
from fleet.host.plan import ControlPlane, Kubeconfig, Plan, TextFile, plane_file, url
from fleet.host.ports import Block
from fleet.host.ready import is_ready, wait_ready
from fleet.host.records import remove_plane, stored_planes, stored_server
from fleet.host.weight import MIB, Weight

PORTS = 1
"""The API server's; the rest is inside the node."""
STOP_SECONDS = 30
LOAD_SECONDS = 300.0
ABSENT, RUNNING, STOPPED, HALF_MADE = "absent", "running", "stopped", "half-made"


class KindDriver:
    """All kind clusters of one fleet on one machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def plan(self, planes: Sequence[ControlPlane]) -> Plan:
        """Files of all planes; takes their ports (not in check mode). What runs is inside the nodes."""
        return Plan.merge(self._plan_one(plane) for plane in planes)

    def apply(self, planes: Sequence[ControlPlane], ready: Ready) -> Change:
        """See `Driver`. At most `parallelism` are made at a time; those that answer are left alone, half-made ones
        replaced, stopped ones started. Without planes the engine goes too."""
        machine = self.machine
        if not planes:
            return kind_engine.retire(machine)
        kind_engine.check_kind(machine, list(planes))
        plans = {plane.name: self._plan_one(plane) for plane in planes}
        done = materialise(machine, Plan.merge(plans.values()), machine.pki())
        if machine.check:
            engine = kind_engine.present(machine)
            return Change.merge([done.change, *(self._bring_up(engine, plane, plans[plane.name]) for plane in planes)])
        engine, prepared = kind_engine.ensure(machine)

        def bring_up(plane: ControlPlane) -> Change:
            change = self._bring_up(engine, plane, plans[plane.name])
            ready(plane.name)
            return change

        with ThreadPoolExecutor(machine.options.parallelism) as pool:
            brought = list(pool.map(bring_up, planes))
        return Change.merge([done.change, prepared, *brought])

    def stop(self, name: str) -> None:
        """Stop its node, as a machine is shut down."""
        engine = self._engine()
        engine.docker("stop", f"--time={STOP_SECONDS}", self._container(name), seconds=4.0 * STOP_SECONDS)

    def start(self, name: str) -> None:
        """Start its node and wait for `/readyz`."""
        engine = self._engine()
        engine.docker("start", self._container(name))
        self._wait(engine, name, stored_server(self.machine, name))

    def delete(self, names: Sequence[str]) -> Change:
        """See `Driver`."""
        machine, engine = self.machine, kind_engine.present(self.machine)
        if not machine.check:
            for name in names:
                if engine is not None:
                    engine.remove([self._container(name)])
                remove_plane(machine, name)
        return Change({f"control plane {name}": "kind" for name in names}, {})

    def processes(self, name: str) -> tuple[Share, ...]:
        """The engine, if it is ours, shared by all; the node's own: `fleet.observe.node_processes`."""
        engine = kind_engine.present(self.machine)
        count = sum(1 for stored in stored_planes(self.machine.layout) if stored.driver == "kind")
        if engine is None or not engine.record.own or not count or not self.machine.layout.cluster(name).is_dir():
            return ()
        return (Share(engine_daemon.NAME, engine_daemon.NAME, 1.0 / count),)

    def _plan_one(self, plane: ControlPlane) -> Plan:
        return plan_kind(self.machine, plane, self._ports(plane))

    def _ports(self, plane: ControlPlane) -> Block:
        machine = self.machine
        engine = kind_engine.present(machine)
        in_use = engine is not None and self._state(engine, plane.name)[0] == RUNNING
        return machine.take(plane.name, PORTS, in_use=in_use, start=plane.port)

    def _container(self, name: str) -> str:
        return kind_config.container_name(self.machine.fleet, name)

    def _engine(self) -> Engine:
        engine = kind_engine.present(self.machine)
        if engine is None:
            raise HostError(f"{self.machine.layout.engine} names no container engine: build the fleet again")
        return engine

    def _state(self, engine: Engine, name: str) -> tuple[str, str]:
        """One of the four states, and the digest of the configuration that it was made with."""
        try:
            running = engine.inspect("container", self._container(name), "{{.State.Running}}")
        except HostError:
            if engine.answers():
                raise
            return STOPPED if self._made(name).exists() else ABSENT, ""  # the engine does not run
        if running is None:
            return ABSENT, ""
        try:
            made = self._made(name).read_text(encoding="ascii").split()[0]
        except (FileNotFoundError, IndexError):
            return HALF_MADE, ""
        return RUNNING if running == "true" else STOPPED, made

    def kubelet(self, name: str, on: bool) -> None:
        """Stop or start it in its node; its containers run on, those of the control plane too."""
        verb = "start" if on else "stop"
        self._engine().docker("exec", self._container(name), "systemctl", verb, "kubelet")

    def load_image(self, name: str, reference: str, write: Callable[[Path], object]) -> bool:
        """As in `DriverKind`. The engine itself keeps no copy."""
        machine, engine = self.machine, self._engine()
        look = ("ctr", "--namespace=k8s.io", "images", "list", "--quiet", f"name=={reference}")
        if engine.docker("exec", self._container(name), *look).strip():
            return False
        if machine.check:
            return True
        archive = machine.layout.cluster(name) / "image.tar"
        cluster = kind_config.cluster_name(machine.fleet, name)
        try:
            write(archive)
            command = [
                str(machine.programs.program("kind")),
                "load",
                "image-archive",
                str(archive),
                f"--name={cluster}",
            ]
            engine.program(command, seconds=LOAD_SECONDS)
        finally:
            archive.unlink(missing_ok=True)
        return True

    def _made(self, name: str) -> Path:
        """There when the cluster was made to its end: the digest of its configuration, and its container's id."""
        return self.machine.layout.cluster(name) / "made"

    def _bring_up(self, engine: Engine | None, plane: ControlPlane, plan: Plan) -> Change:
        name, key = plane.name, f"kind cluster {plane.name}"
        wanted = hashlib.sha256(_config(plan).text.encode()).hexdigest()
        state, made = (ABSENT, "") if engine is None else self._state(engine, name)
        if made and made != wanted:
            state = "of another configuration"
        if engine is not None and not self.machine.check:
            if state not in (RUNNING, STOPPED):
                engine.remove([self._container(name)])
                self._create(engine, plane, _config(plan))
                container = engine.inspect("container", self._container(name), "{{.Id}}")
                write_private(self._made(name), f"{wanted} {container}\n".encode())
            elif state == STOPPED:
                engine.docker("start", self._container(name))
            self._wait(engine, name, plan.kubeconfigs[0].server)
        before = {} if state == ABSENT else {key: state}
        return Change.between(before, {key: RUNNING})

    def _create(self, engine: Engine, plane: ControlPlane, config: TextFile) -> None:
        machine = self.machine
        self._made(plane.name).unlink(missing_ok=True)
        seconds = machine.options.ready_seconds
        folder = machine.layout.cluster(plane.name)
        if plane.audit:  # made by us, so that the API server's user, root, goes on with it and we may read it
            (folder / audit.LOG).touch()
        command = [str(machine.programs.program("kind")), "create", "cluster", "--quiet", f"--config={config.path}",
                   f"--kubeconfig={folder / 'kind.kubeconfig'}", "--retain", f"--wait={seconds:.0f}s"]  # fmt: skip
        try:
            engine.program(command, seconds=2 * seconds)
        except (HostError, DeadlineError) as error:
            raise HostError(f"{plane.name}: kind made no cluster: {error}") from error

    def _wait(self, engine: Engine, name: str, server: str) -> None:
        container = self._container(name)

        def alive() -> None:
            if engine.inspect("container", container, "{{.State.Running}}") != "true":
                raise HostError(f"{name}: its node {container} ended:\n{tail()}")

        def tail() -> str:
            return engine.docker("logs", "--tail=15", container)

        endpoint = self.machine.endpoint(name, server)
        if not is_ready(endpoint)[0]:
            wait_ready(name, endpoint, deadline=self.machine.options.ready_seconds, alive=alive, tail=tail)


def plan_kind(machine: Machine, plane: ControlPlane, ports: Block) -> Plan:
    """The files of one kind cluster; pure."""
    layout = machine.layout
    folder = layout.cluster(plane.name)
    server = url(plane.bind_address, ports.start)
    admin = machine.admin(plane.name)
    kind_config.container_name(machine.fleet, plane.name)  # refuses a name that is too long
    config = kind_config.render(layout, machine.fleet, plane, ports.start, machine.options.node_image)
    return Plan(
        directories=(folder, folder / "pki", *audit.folders(folder, plane.audit)),
        certificates=(admin,),
        kubeconfigs=(Kubeconfig(layout.kubeconfig(plane.name), server, machine.context(plane.name), admin),),
        texts=(
            plane_file(layout, plane, server),
            *audit.policies(folder, plane.audit),
            TextFile(folder / "kind.yaml", config),
        ),
    )


def _config(plan: Plan) -> TextFile:
    return plan.texts[-1]


def _of(machine: Machine, group: str) -> KindDriver:  # noqa: ARG001 - its programs run in containers
    return KindDriver(machine)


def _kubelet(machine: Machine, name: str, on: bool) -> None:
    KindDriver(machine).kubelet(name, on)


def _load_image(machine: Machine, name: str, reference: str, write: Callable[[Path], object]) -> bool:
    return KindDriver(machine).load_image(name, reference, write)


DRIVER = DriverKind(
    of=_of,
    kubelet=_kubelet,
    load_image=_load_image,
    # One node: systemd, containerd, kubelet and the whole control plane; docs/concepts/drivers.md has the measurements.
    weight=always(Weight(630 * MIB, 38, 246, 238, 1, 890 * MIB)),
    of_image=True,
    check=kind_engine.check_kind,
    retire=kind_engine.retire,
)
