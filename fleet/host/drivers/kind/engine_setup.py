"""Brings up the container engine of this machine for kind clusters, and takes it away again."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

from fleet.errors import DeadlineError, HostError, UsageError
from fleet.host.change import Change
from fleet.host.daemon import POLL
from fleet.host.drivers.kind import engine_daemon
from fleet.host.drivers.kind.engine import (
    SYSTEM_PATH,
    Engine,
    Record,
    missing_programs,
    read_record,
    system_engine,
    write_record,
)
from fleet.host.files import private_directory, remove_tree, write_private
from fleet.host.machine import Machine
from fleet.host.plan import SIMULATOR, ControlPlane

START_SECONDS = 60.0


def check_kind(machine: Machine, planes: Sequence[ControlPlane]) -> None:
    """UsageError or HostError before anything is changed, when kind clusters cannot be on this machine."""
    for plane in planes:
        inside = [part for part, env in plane.extra.env_of.items() if env and part != SIMULATOR]
        for variable in (*(["env"] if plane.extra.env else []), *(f"{part}_env" for part in inside)):
            raise UsageError(
                f"{plane.name}: control_plane_{variable} has no effect on kind clusters: set it to {{}}, or use another"
                " driver"
            )
    if not machine.options.node_image:
        raise UsageError("control_plane_driver: kind needs a node image: the role kind_node_image gives one")
    if machine.check or read_record(machine.layout) is not None:
        return
    choice = machine.options.engine
    system = "" if choice == "own" else system_engine(machine.run)
    if system or machine.check:
        return
    if choice == "system":
        raise HostError("container_engine: system: no Docker answers here: start it, or set container_engine to own")
    if os.geteuid() != 0:
        raise HostError("kind: no Docker answers here, and only root can start one: start it, or run as root")
    missing = missing_programs()
    if missing:
        raise HostError(f"kind: {', '.join(missing)} are missing: the role container_engine installs docker.io")


def present(machine: Machine) -> Engine | None:
    """The engine that carries this fleet; None when there is none yet."""
    record = read_record(machine.layout)
    return None if record is None else Engine(machine.layout, record, machine.run)


def ensure(machine: Machine) -> tuple[Engine, Change]:
    """The engine, up and with the node image and the fleet's network in it."""
    engine = present(machine) or _choose(machine)
    changes = []
    if engine.record.own:
        changes.append(_start(machine, engine))
    elif not engine.answers():
        raise HostError(f"Docker at {engine.record.socket} does not answer any more: start it")
    after = {}
    if engine.ensure_network():
        after[f"network {engine.record.network}"] = "bridge"
    if engine.ensure_image(machine.options.node_image, machine.options.node_archive):
        after[f"image {machine.options.node_image}"] = "loaded"
    return engine, Change.merge([*changes, Change({}, after)])


def retire(machine: Machine) -> Change:
    """Take away what the fleet put into the engine, and the engine if it is ours; what is absent is fine."""
    engine = present(machine)
    if engine is None:
        return Change.none()
    record = engine.record
    before = {"container engine": "own" if record.own else record.socket}
    if machine.check:
        return Change(before, {})
    if engine.answers():
        engine.remove(engine.containers() if engine.inspect("network", record.network, "{{.Id}}") else [])
        if engine.inspect("network", record.network, "{{.Id}}") is not None:
            engine.docker("network", "rm", record.network)
        if record.image and engine.inspect("image", record.image, "{{.Id}}") is not None:
            engine.docker("image", "rm", record.image)
    elif not record.own:
        raise HostError(
            f"Docker at {record.socket} does not answer: start it, so that the fleet's nodes can be removed"
        )
    if record.own:
        machine.supervisor.drop(engine_daemon.GROUP, [engine_daemon.NAME])
        engine_daemon.sweep(machine.layout, machine.fleet, record)
        if Path("/sys/class/net", record.bridge).exists():  # dockerd was killed, and had no time to remove it
            machine.run(["ip", "link", "delete", record.bridge], engine.environment, 30.0)
    remove_tree(machine.layout.run / "engine")
    remove_tree(machine.layout.engine)
    return Change(before, {})


def _choose(machine: Machine) -> Engine:
    """Decide once which engine it is, and write it down with how the host was."""
    choice, layout = machine.options.engine, machine.layout
    network = f"fleet-{machine.fleet}"
    # At most 15 characters, and another for a fleet of the same name in another folder.
    bridge = f"fk{hashlib.sha256(str(machine.root).encode()).hexdigest()[:8]}"
    socket = "" if choice == "own" else system_engine(machine.run)
    if socket:
        engine = Engine(layout, Record(socket, own=False, network=network, bridge=bridge), machine.run)
        there = engine.inspect("image", machine.options.node_image, "{{.Id}}") is not None
        record = Record(
            socket, own=False, network=network, bridge=bridge, image="" if there else machine.options.node_image
        )
    else:
        sysctls, absent = engine_daemon.host_before()
        record = Record(
            str(engine_daemon.socket(layout)), own=True, network=network, bridge=bridge, sysctls=sysctls, absent=absent
        )
    write_record(layout, record)
    return Engine(layout, record, machine.run)


def _start(machine: Machine, engine: Engine) -> Change:
    """Our own dockerd, under the supervisor of the fleet."""
    layout = machine.layout
    for folder in (layout.engine, layout.run, layout.engine / "client"):
        private_directory(folder)
    write_private(layout.engine / "daemon.json", b"{}\n")
    version = engine_daemon.major(machine.run(["dockerd", "--version"], {"PATH": SYSTEM_PATH}, 30.0))
    runtime = None if engine_daemon.has_sys_resource() else machine.programs.program("fleet-runc")
    program = engine_daemon.dockerd(layout, machine.fleet, version, runtime)
    change = machine.supervisor.converge(engine_daemon.GROUP, [program])
    deadline = time.monotonic() + START_SECONDS
    while not engine.answers():
        machine.supervisor.raise_if_dead(program.name, machine.supervisor.state(program.name))
        if time.monotonic() > deadline:
            tail = machine.supervisor.tail(program.name)
            raise DeadlineError(f"dockerd did not answer within {START_SECONDS:.0f} s; its last lines:\n{tail}")
        time.sleep(POLL)
    return change
