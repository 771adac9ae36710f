"""Where control planes of a run are: a machine's folder of its own, with a supervisor and ports of the registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil

from fleet import node_image
from fleet.experiments.density.targets.target import Ground
from fleet.host.drivers.driver import driver_kind, driver_kinds
from fleet.host.machine import Machine, Options
from fleet.host.ports import Registry, bindable, holder_of
from fleet.model.checkout import checkout


def machine_of(ground: Ground) -> Machine:
    """The folder of the run as a fleet's folder, with its own supervisor and its blocks of ports."""
    spec = ground.spec
    options = Options(
        parallelism=spec.workers,
        cores=psutil.cpu_count() or 1,
        shard_size=spec.shard_size,
        sharing=spec.dense_sharing,
        wec_nodes=0,
        simulator="none",
        debug=spec.inspect,
        **_node_image(ground),
    )
    return Machine(ground.root.name, ground.root, ground.toolchain, options)


def _node_image(ground: Ground) -> dict[str, Any]:
    """Of a driver that needs one; nothing where none is built, which `refuse` then says."""
    target = ground.spec.target
    if target not in driver_kinds() or not driver_kind(target).of_image:
        return {}
    image = node_image.find(checkout() / "node_image", ground.toolchain)
    return {} if image is None else {"node_image": image.reference, "node_archive": image.archive}


def ports_taken(first: int, count: int, state_root: Path) -> list[str]:
    """A sentence with the ports that somebody has, of `count` from `first` on; none for 0."""
    if first == 0 or count == 0:
        return []
    wanted = range(first, first + count)
    blocks = {port: block for block in Registry(state_root).blocks() for port in block.ports}
    taken = [port for port in wanted if port in blocks or not bindable(port)]
    if not taken:
        return []
    one = taken[0]
    holder = f"{blocks[one].owner} of fleet {blocks[one].fleet}" if one in blocks else holder_of(one)
    which = f"{len(taken)} of the {count} ports {wanted[0]} to {wanted[-1]}"
    return [f"first_port: {which} are taken, {one} by {holder}: choose another, or 0"]
