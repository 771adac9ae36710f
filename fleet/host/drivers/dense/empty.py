"""The dense processes that will carry so many control planes, started with none in them."""

from __future__ import annotations

import math

from fleet.host.drivers.dense.plan import Shard, plan_shard
from fleet.host.files import private_directory
from fleet.host.machine import Machine
from fleet.host.materialise import materialise
from fleet.host.supervise import Program


def start_empty(machine: Machine, group: str, count: int) -> None:
    """On a machine that has none yet. They are what a later convergence of that many finds running, and keeps."""
    private_directory(machine.root)
    shards = max(1, math.ceil(count / machine.options.shard_size))
    cores = math.ceil(machine.options.cores / shards)
    pki = machine.pki()
    programs: list[Program] = []
    for number in range(shards):
        block = machine.take(f"dense-{number}", 2, in_use=False)
        shard = Shard(number, block.start, block.start + 1, cores)
        programs += materialise(machine, plan_shard(machine, shard, []), pki).programs
    machine.supervisor.converge(group, programs)
