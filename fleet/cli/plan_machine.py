"""The fleet that `fleet plan` is about, by variables of site.yml; what its parts take; what this machine has."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from fleet.analysis.sizing.ends import Resource
from fleet.analysis.sizing.estimate import Question
from fleet.analysis.sizing.line import Declared
from fleet.analysis.sizing.observation import Computer, Setup, changed_variables, short_digest
from fleet.cli.build import pairs
from fleet.cli.given_variables import checked_variables
from fleet.errors import UsageError
from fleet.host.drivers.driver import driver_kind
from fleet.host.limits import DESCRIPTORS_BASE, RESERVE, measure_room
from fleet.managers.installer import installer
from fleet.model import fleet_load
from fleet.model.checkout import checkout
from fleet.model.variables import Variables
from fleet.results.machine import machine_facts
from fleet.simulators.planned import weight_of
from fleet.toolchain import catalogue, digest, store
from fleet.toolchain.needs import needs_of
from fleet.toolchain.store import default_cache


def asked(options: Mapping[str, str | None], words: Sequence[str]) -> tuple[Question, Variables]:
    """The fleet by options (variable to value) and `-e`; UsageError with all that is wrong with them."""
    values: dict[str, Any] = pairs(list(words))
    for name, value in options.items():
        if value is not None and name in values and values[name] != value:
            raise UsageError(f"{name} is given by an option and by -e: keep one")
        values |= {} if value is None else {name: value}
    chosen = checked_variables(values)
    return _question(chosen), chosen


def _question(variables: Variables) -> Question:
    limits = {name: float(getattr(variables, name)) for name in installer(variables.manager).limits}
    platforms = getattr(variables, "platform", "")
    nodes = variables.wec_nodes if variables.node_simulator != "none" else 0
    setup = Setup(
        driver=variables.control_plane_driver,
        simulator=variables.node_simulator if nodes else "none",
        nodes=nodes,
        manager=variables.manager,
        platform=platforms if isinstance(platforms, str) else ",".join(platforms),
    )
    return Question(setup, limits, changed_variables(variables.recorded(), limits))


def declared(variables: Variables) -> dict[str, Declared]:
    """Lines of the check before a build (`fleet.host.limits`), by quantity; they are rounded up."""
    kind, manager = driver_kind(variables.control_plane_driver), installer(variables.manager)
    planes = manager.planes(variables)
    dialled = sum(plane.dialled for plane in planes)
    control_plane, one_agent = kind.weight(variables), manager.agent_weight(variables)
    nodes = weight_of(variables, fleet_load.state_root(), 1)
    lines = {}
    for name, field in (
        ("memory", "memory"),
        ("inotify", "inotify_instances"),
        ("threads", "threads"),
        ("ports", "ports"),
    ):
        wec, node, agent, plane = (
            float(getattr(weight, field)) for weight in (control_plane, nodes, one_agent, manager.plane)
        )
        lines[name] = Declared(plane * len(planes), wec + node + agent * dialled)
    parts = {
        "planes": Declared(0.0, float(control_plane.memory)),
        "nodes": Declared(0.0, float(nodes.memory)),
        "agents": Declared(0.0, float(one_agent.memory * dialled)),
        "hub": Declared(float(manager.plane.memory * len(planes)), 0.0),
    }
    lines |= {f"memory.{part}": line for part, line in parts.items() if line.fixed or line.each}
    lines["descriptors_of_one"] = Declared(
        float(DESCRIPTORS_BASE), float(kind.descriptors), most=variables.dense_shard_size
    )
    return lines


def resources() -> list[Resource]:
    """What this machine has left for a new fleet, by the figure that takes of it."""
    room = measure_room(fleet_load.state_root())
    return [
        Resource("memory", "memory", "memory", float(room.memory - RESERVE)),
        Resource("cpu", "CPU", "idle_cpu", float(os.cpu_count() or 1)),
        Resource("descriptors", "descriptors of one process", "descriptors_of_one", float(room.descriptors)),
        Resource("inotify", "inotify instances", "inotify", float(room.inotify_instances)),
        Resource("threads", "threads", "threads", float(room.processes)),
        Resource("ports", "ports", "ports", float(room.ports)),
    ]


def toolchain_here(variables: Variables) -> str:
    """Digest of the upstream programs that this checkout would build for such a fleet; empty for one of a user, and
    where there is no checkout."""
    if variables.fleet_toolchain_dir:
        return ""
    try:
        source = checkout() / "toolchain"
    except UsageError:
        return ""  # the package alone can plan too
    wanted = catalogue.load(source, needs_of(variables))
    return short_digest(digest.together(store.digests(source, default_cache(), wanted)))


def this_machine() -> Computer:
    """Where the command runs."""
    facts = machine_facts()
    return Computer(cpu_model=facts.cpu_model, cores=facts.cores, memory_bytes=facts.memory_bytes)
