"""kplane's API server, a program of the user's own: virtual control planes made by the first request to their path.

The flags and paths are those that kplane's own smoke test uses. Never run with the real program, which cannot be had
here: `fleet.testing.kplane_server` answers the same paths.
"""

from __future__ import annotations

import re
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import UsageError
from fleet.experiments import own_binary
from fleet.experiments.density.file import Kplane
from fleet.experiments.density.targets.place import machine_of, ports_taken
from fleet.experiments.density.targets.target import Access, Ground, Running, names
from fleet.host import components
from fleet.host.components import Trust
from fleet.host.files import private_directory, write_private
from fleet.host.https import Endpoint
from fleet.host.limits import GIB, RESERVE, measure_room
from fleet.host.machine import Machine
from fleet.host.materialise import materialise
from fleet.host.pages import Pages, Started, of_etcd
from fleet.host.plan import ControlPlane, Plan, PlannedProgram
from fleet.host.ready import wait_ready
from fleet.host.stores import plan_store, serving_certificate
from fleet.host.supervise import Program
from fleet.host.weight import MIB
from fleet.install.control_planes import teardown
from fleet.model.fleet_file import ClientTls

PLANE = "kplane"
GROUP = "planes-process"
HELP_SECONDS = 30
FLAGS = (
    "etcd-servers", "etcd-prefix", "secure-port", "authorization-mode", "token-auth-file", "service-account-issuer",
    "service-cluster-ip-range", "service-cidr-sharing-mode", "kubernetes-service-mode",
)  # fmt: skip
"""Flags that its `--help` must name; the last two are kplane's own."""
MEMORY = 3 * MIB
"""Of one virtual control plane, a little more than kplane's README says."""


def check_binary(kplane: Kplane) -> list[str]:
    """Why this is not the program that was meant; it is run, with `--help`, only when its sha256 is the given one."""
    path = Path(kplane.binary)
    if why := own_binary.wrong(kplane.binary, kplane.sha256, "kplane."):
        return [why]
    try:
        done = subprocess.run(
            [str(path), "--help"], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            check=False, timeout=HELP_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return [f"kplane.binary: {path} cannot be run: {error}"]
    known = set(re.findall(r"--([a-z][a-z0-9-]+)", done.stdout + done.stderr))
    missing = [flag for flag in FLAGS if flag not in known]
    if missing:
        flags = ", ".join(f"--{flag}" for flag in missing)
        few = f"{len(missing)} of {len(FLAGS)} flags are missing"
        return [f"kplane.binary: {path} is no API server of kplane: {few}: {flags}"]
    return []


@dataclass
class KplaneServer:
    """One process of the user's program over one etcd of the toolchain."""

    ground: Ground
    name: str = PLANE
    main: str = PLANE

    @property
    def machine(self) -> Machine:
        """Where it is."""
        return machine_of(self.ground)

    @property
    def differs(self) -> str:
        """See `Target`."""
        return ""

    def refuse(self, most: int) -> list[str]:
        """See `Target`."""
        kplane, root = self._given, self.ground.root.parent
        found = [*check_binary(kplane), *ports_taken(self.ground.spec.first_port, 1, root)]
        if self.ground.spec.plane == "full":
            found.append("plane: a virtual control plane of kplane has no controllers: write apiserver")
        room = measure_room(root)
        if most * MEMORY + RESERVE > room.memory:
            found.append(
                f"memory for {most} virtual control planes: {(most * MEMORY + RESERVE) / GIB:.1f} GiB needed, "
                f"{room.memory / GIB:.1f} GiB available: lower clusters"
            )
        return found

    def launch(self, count: int) -> None:  # noqa: ARG002 - they are made by their first requests
        """See `Target`. Checked again: the file may have changed since."""
        if wrong := check_binary(self._given):
            raise UsageError("; ".join(wrong))
        self.down()
        machine = self.machine
        private_directory(machine.root)
        pki = machine.pki()
        token = machine.layout.cluster(PLANE) / "token"
        plan = self._plan(machine)
        private_directory(machine.layout.clusters)
        private_directory(machine.layout.cluster(PLANE))
        secret = secrets.token_urlsafe(32)
        write_private(token, secret.encode())
        write_private(token.with_name("tokens.csv"), f"{secret},fleet-admin,fleet-admin,system:masters\n".encode())
        done = materialise(machine, plan, pki)
        machine.supervisor.converge(GROUP, done.programs)
        admin = machine.admin(PLANE)
        wait_ready(
            PLANE,
            Endpoint(self._server, machine.layout.pki / "ca.crt", admin.cert, admin.key),
            deadline=machine.options.ready_seconds,
            alive=lambda: machine.supervisor.raise_if_dead(PLANE, machine.supervisor.state(PLANE)),
            tail=lambda: machine.supervisor.tail(PLANE),
        )

    def create(self, count: int) -> list[Access]:
        """See `Target`."""
        layout = self.machine.layout
        return [
            Access(
                name,
                f"{self._server}/clusters/{name}/control-plane",
                layout.pki / "ca.crt",
                token_file=layout.cluster(PLANE) / "token",
            )
            for name in names(count)
        ]

    def running(self) -> list[Running]:
        """See `Target`."""
        machine = self.machine
        if not machine.root.exists():
            return []
        admin = machine.admin(PLANE)
        tls = ClientTls(ca=str(machine.layout.pki / "ca.crt"), cert=str(admin.cert), key=str(admin.key))
        found = []
        for state in machine.supervisor.states():
            if state.pid and state.name == PLANE:
                pages = Pages(f"{self._server}/metrics", f"{self._server}/debug/pprof", tls)
                found.append(Running(PLANE, PLANE, state.pid, pages))
            elif state.pid:
                argv = next(p.program.argv for p in self._plan(machine).programs if p.program.name == state.name)
                found.append(Running(state.name, "etcd", state.pid, of_etcd(Started(machine.layout, {}, PLANE, argv))))
        return found

    def down(self) -> None:
        """See `Target`."""
        teardown(self.machine)

    @property
    def _given(self) -> Kplane:
        given = self.ground.spec.kplane
        if given is None:
            raise UsageError("kplane: is missing: write `kplane: {binary: PATH, sha256: HEX}`")
        return given

    @property
    def _server(self) -> str:
        block = self.machine.registry.find(self.ground.root.name, PLANE)
        return "" if block is None else f"https://127.0.0.1:{block.start}"

    def _plan(self, machine: Machine) -> Plan:
        folder = machine.layout.cluster(PLANE)
        pki = folder / "pki"
        api = machine.take(PLANE, 1, in_use=True, start=self.ground.spec.first_port).start
        stored = machine.take(f"{PLANE}.etcd", 2, in_use=True)
        trust = Trust.of(machine.layout.pki, hub_signs=False)
        socket = machine.layout.etcd_socket(PLANE)
        store = plan_store(PLANE, folder / "etcd", pki, stored.port(0), stored.port(1), socket=socket)
        serving = serving_certificate(pki, ControlPlane(PLANE, "wec"))
        argv = (
            self._given.binary,
            f"--etcd-servers={store.door}",
            f"--etcd-prefix=/registry-{self.ground.root.name}",
            f"--cert-dir={pki}",
            f"--tls-cert-file={serving.cert}",
            f"--tls-private-key-file={serving.key}",
            f"--client-ca-file={trust.client_ca}",
            f"--secure-port={api}",
            "--bind-address=127.0.0.1",
            "--enable-aggregator-routing=true",
            "--authorization-mode=RBAC",
            "--anonymous-auth=true",
            f"--token-auth-file={folder / 'tokens.csv'}",
            "--allow-privileged=true",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--service-cidr-sharing-mode=shared",
            "--kubernetes-service-mode=shared",
            "--service-account-issuer=test",
            "--api-audiences=test,https://kubernetes.default.svc",
            f"--service-account-signing-key-file={trust.sa_private}",
            f"--service-account-key-file={trust.sa_public}",
            "--v=2",
        )
        debug = components.ETCD_DEBUG if self.ground.spec.inspect else ()
        etcd = components.etcd(self.ground.toolchain.program("etcd"), store, trust, debug)
        return Plan(
            (folder, pki),
            (store.server, store.client, serving, machine.admin(PLANE)),
            (),
            (),
            (
                PlannedProgram(Program(f"etcd.{PLANE}", etcd, {}, folder, priority=100), "etcd", PLANE),
                PlannedProgram(Program(PLANE, argv, {}, folder, priority=200), PLANE, PLANE),
            ),
        )
