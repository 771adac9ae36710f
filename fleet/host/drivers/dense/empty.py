"""The dense processes that will carry so many control planes, started with none in them."""

from __future__ import annotations

import math
import time

from fleet.errors import DeadlineError
from fleet.host.drivers.dense.admin import DenseAdmin
from fleet.host.drivers.dense.plan import DENSE, Shard, plan_shard
from fleet.host.files import private_directory
from fleet.host.machine import Machine
from fleet.host.materialise import materialise
from fleet.host.patience import Patience
from fleet.host.supervise import Program

SECONDS = 60.0
POLL = 0.1


def start_empty(machine: Machine, group: str, count: int) -> None:
    """On a machine that has none yet; returns when each answers on its admin socket. They are what a later convergence
    of that many finds running, and keeps. HostError for one that dies, DeadlineError for one that stays silent."""
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
    for number in range(shards):
        _listening(machine, number)


def _listening(machine: Machine, number: int) -> None:
    supervisor, program = machine.supervisor, f"{DENSE}.{number}"
    admin = DenseAdmin(machine.layout.run / f"dense-{number}.sock")
    patience = Patience(SECONDS, lambda: supervisor.work_done(program))
    while not _answers(admin):
        supervisor.raise_if_dead(program, supervisor.state(program))
        if not patience.left():
            raise DeadlineError(f"{program} did not open {admin.socket}; its last lines:\n{supervisor.tail(program)}")
        time.sleep(POLL)


def _answers(admin: DenseAdmin) -> bool:
    try:
        admin.instances()
    except OSError:
        return False
    return True
