"""The driver `process`: each component of a control plane as a plain process of the machine."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fleet.host import audit, components
from fleet.host.change import Change
from fleet.host.components import Trust
from fleet.host.drivers.driver import DriverKind, Ready, Share, always
from fleet.host.drivers.process.small import differs, own_environment
from fleet.host.kubeconfig_spec import component_kubeconfig
from fleet.host.machine import Machine
from fleet.host.materialise import materialise
from fleet.host.plan import ControlPlane, Kubeconfig, Plan, PlannedProgram, plane_file, url
from fleet.host.ports import Block
from fleet.host.ready import wait_ready
from fleet.host.records import debug_owner, remove_plane, stored_server
from fleet.host.stores import kubelet_client_certificate, plan_store, proxy_certificates, serving_certificate
from fleet.host.supervise import Program, Staged
from fleet.host.weight import MIB, Weight

PORTS = 3
"""API server, etcd for clients, etcd for peers."""
DEBUG_PORTS = 2
"""Controller manager, scheduler."""
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


class ProcessDriver:
    """Control planes of one supervisor group (`planes-hub` or `planes-process`)."""

    def __init__(self, machine: Machine, group: str) -> None:
        self.machine = machine
        self.group = group

    def plan(self, planes: Sequence[ControlPlane]) -> Plan:
        """Everything of all planes; takes their ports (not in check mode)."""
        live = self.machine.live_programs()
        return Plan.merge(self._plan_one(plane, live) for plane in planes)

    def apply(self, planes: Sequence[ControlPlane], ready: Ready) -> Change:
        """See `Driver`. At most `parallelism` control planes come up at a time."""
        machine = self.machine
        pki = machine.pki()
        live = machine.live_programs()
        plans = {plane.name: self._plan_one(plane, live) for plane in planes}
        done = materialise(machine, Plan.merge(plans.values()), pki)
        if machine.check:
            return Change.merge([done.change, machine.supervisor.converge(self.group, done.programs, check=True)])
        pool = ThreadPoolExecutor(machine.options.parallelism)
        with machine.supervisor.stage(self.group, done.programs) as staged, pool:
            list(pool.map(lambda plane: self._bring_up(plane, plans[plane.name], staged, ready), planes))
        machine.supervisor.settle(staged.watched)
        return Change.merge([done.change, staged.change])

    def stop(self, name: str) -> None:
        """Stop its programs, the API server's clients first."""
        for share in reversed(self.processes(name)):
            self.machine.supervisor.stop(share.program)

    def start(self, name: str) -> None:
        """Start its programs and wait for `/readyz`."""
        for share in self.processes(name):
            self.machine.supervisor.start(share.program)
        self._wait(name, stored_server(self.machine, name))

    def delete(self, names: Sequence[str]) -> Change:
        """See `Driver`."""
        machine = self.machine
        programs = [f"{component}.{name}" for name in names for component in COMPONENTS]
        change = machine.supervisor.drop(self.group, programs, check=machine.check)
        before = {f"control plane {name}": "process" for name in names}
        if not machine.check:
            for name in names:
                remove_plane(machine, name)
        return Change.merge([change, Change(before, {})])

    def processes(self, name: str) -> tuple[Share, ...]:
        """Its programs in the order of their start; all of each is its own."""
        known = {state.name for state in self.machine.supervisor.states()}
        return tuple(Share(f"{c}.{name}", c, 1.0) for c in COMPONENTS if f"{c}.{name}" in known)

    def _ports(self, plane: ControlPlane, live: frozenset[str]) -> Block:
        in_use = any(f"{component}.{plane.name}" in live for component in ("etcd", "kube-apiserver"))
        return self.machine.take(plane.name, PORTS, in_use=in_use, start=plane.port)

    def _plan_one(self, plane: ControlPlane, live: frozenset[str]) -> Plan:
        debug = None
        if self.machine.options.debug:
            in_use = any(f"{component}.{plane.name}" in live for component in COMPONENTS[2:])
            debug = self.machine.take(debug_owner(plane.name), DEBUG_PORTS, in_use=in_use)
        return plan_process(self.machine, plane, self._ports(plane, live), debug)

    def _bring_up(self, plane: ControlPlane, plan: Plan, staged: Staged, ready: Ready) -> None:
        """Store and API server first; their clients when it is ready, so that they need not die and be
        restarted."""
        programs = [planned.program.name for planned in plan.programs]
        early = [name for name in programs if name.startswith(("etcd.", "kube-apiserver."))]
        staged.start(early)
        self._wait(plane.name, plan.kubeconfigs[0].server)
        staged.start(programs)
        ready(plane.name)

    def _wait(self, name: str, server: str) -> None:
        supervisor = self.machine.supervisor
        program = f"kube-apiserver.{name}"

        def alive() -> None:
            for watched in (f"etcd.{name}", program):
                supervisor.raise_if_dead(watched, supervisor.state(watched))

        endpoint = self.machine.endpoint(name, server)
        wait_ready(
            name,
            endpoint,
            deadline=self.machine.options.ready_seconds,
            alive=alive,
            tail=lambda: supervisor.tail(program),
            progress=lambda: supervisor.work_done(f"etcd.{name}", program),
        )


def plan_process(machine: Machine, plane: ControlPlane, ports: Block, debug: Block | None = None) -> Plan:
    """Everything of one control plane; pure. `debug`: ports on which its controller manager and scheduler listen."""
    folder = machine.layout.cluster(plane.name)
    certificates = folder / "pki"
    server = url(plane.bind_address, ports.start)
    trust = Trust.of(machine.layout.pki, hub_signs=plane.signs)
    # The hub's stay on TLS, as in a real one: its API servers are the system under test.
    socket = None if plane.hub else machine.layout.etcd_socket(plane.name)
    store = plan_store(plane.name, folder / "etcd", certificates, ports.start + 1, ports.start + 2, socket=socket)
    serving = serving_certificate(certificates, plane)
    proxy = proxy_certificates(certificates, plane)
    admin = machine.admin(plane.name)
    kcm = component_kubeconfig(machine, plane.name, server, "kube-controller-manager")
    scheduler = component_kubeconfig(machine, plane.name, server, "kube-scheduler")
    program = machine.programs.program
    at_start = (trust.ca, trust.front_proxy_ca, trust.sa_private)

    def planned(component: str, argv: tuple[str, ...], priority: int, reads: tuple[Path, ...]) -> PlannedProgram:
        env = plane.extra.environment(component, own_environment(plane, component))
        running = Program(f"{component}.{plane.name}", argv, env, folder, priority=priority)
        return PlannedProgram(running, component, plane.name, reads)

    dials = (kubelet_client_certificate(certificates),) if machine.options.kubelets and not plane.hub else ()
    kubelets = [flag for client in dials for flag in components.kubelet_client(trust, client)]
    api = components.kube_apiserver(
        program("kube-apiserver"), plane.bind_address, ports.start, store, trust, serving,
        (
            *(flag for one in proxy for flag in components.proxy_client(one)),
            *(() if plane.as_shipped else components.IDLE_API_SERVER),
            *kubelets,
            *audit.arguments(folder, plane.audit),
            *plane.extra.apiserver,
        ),
    )  # fmt: skip

    def listener(index: int, kubeconfig: Path) -> tuple[str, ...]:
        if debug is None:
            return components.NO_LISTENER
        return components.debug_listener(debug.port(index), serving, trust, kubeconfig)

    manager = components.kube_controller_manager(
        program("kube-controller-manager"), plane, kcm.path, trust, plane.extra.kcm, listener(0, kcm.path)
    )
    etcd_extra = (*(components.ETCD_DEBUG if debug else ()), *plane.extra.etcd)
    programs = [
        planned("etcd", components.etcd(program("etcd"), store, trust, etcd_extra), 100, (trust.etcd_ca,)),
        planned("kube-apiserver", api, 200, (*at_start, trust.etcd_ca, *(one.cert for one in proxy))),
    ]
    clients = []
    if not plane.bare:
        programs.append(planned("kube-controller-manager", manager, 300, (*at_start, kcm.path)))
        clients.append(kcm)
    if plane.role == "wec" and not plane.bare:
        argv = components.kube_scheduler(
            program("kube-scheduler"), scheduler.path, plane.extra.scheduler, listener(1, scheduler.path)
        )
        programs.append(planned("kube-scheduler", argv, 300, (scheduler.path,)))
        clients.append(scheduler)
    return Plan(
        (folder, certificates, *audit.folders(folder, plane.audit)),
        (store.server, store.client, serving, *proxy, admin, *dials, *(client.certificate for client in clients)),
        (Kubeconfig(machine.layout.kubeconfig(plane.name), server, machine.context(plane.name), admin), *clients),
        (plane_file(machine.layout, plane, server), *audit.policies(folder, plane.audit)),
        tuple(programs),
    )


DRIVER = DriverKind(
    of=ProcessDriver,
    # Measured at rest on 2 cores with a fleet of 2 WECs, /proc summed by program (memory is PSS). As upstream ships
    # them 301 MiB: API server 199, etcd 39, controller manager 35, scheduler 27; the rest for a busy one. Those of a
    # manager 195. Inotify: 5 instances, 8 watches; 40 threads. Ports: API server and both of its etcd. Disk: 123 MiB
    # when new, nearly all preallocated by the etcd.
    weight=always(Weight(340 * MIB, 10, 36, 58, 3, 190 * MIB)),
    of_hub=True,
    platforms=True,
    bare=True,
    differs=differs,
)
