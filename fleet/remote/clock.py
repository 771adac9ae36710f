"""How far another machine's clock is from ours, from round trips over one SSH connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fleet.errors import FleetError, HostError
from fleet.model.fleet_file import FleetFile, Machine
from fleet.remote.shell import FabricShell, Shell
from fleet.results.run import MachineClock

ROUNDS = 21


@dataclass(frozen=True)
class Round:
    """One question: our clock when it was sent and answered, theirs in between. Nanoseconds since the epoch."""

    sent: int
    there: int
    received: int

    @property
    def trip(self) -> int:
        """How long it took."""
        return self.received - self.sent


def estimate(machine: str, rounds: Sequence[Round]) -> MachineClock:
    """The offset of the shortest round trip, as NTP's clock filter takes it (RFC 5905, section 10).

    Their stamp lies somewhere within that trip, so the offset from its middle is wrong by at most half of it.
    """
    if not rounds:
        raise HostError(f"machine {machine} returned no time")
    best = min(rounds, key=lambda one: one.trip)
    return MachineClock(
        machine=machine,
        offset_ns=best.there - (best.sent + best.received) // 2,
        error_ns=(best.trip + 1) // 2,
        rounds=len(rounds),
    )


def measure(machine: str, shell: Shell, python: str) -> MachineClock:
    """Ask ROUNDS times; takes that many round trips and the start of a Python."""
    rounds: list[Round] = []
    sent = time.time_ns()

    def turn(answer: bytes) -> None:
        nonlocal sent
        received = time.time_ns()
        rounds.append(Round(sent, int(answer), received))
        sent = time.time_ns()  # the next line is sent when this returns

    shell.ask([python, "-m", "fleet.host.clock"], [b""] * ROUNDS, turn)
    # The first round holds the start of the program.
    return estimate(machine, rounds[1:])


def clocks(fleet: FleetFile, connect: Callable[[Machine], Shell] = FabricShell) -> list[MachineClock]:
    """Every machine that is reached over SSH, in turn; one that does not answer is named with the reason."""
    found = []
    for machine in fleet.machines:
        if machine.connection != "ssh":
            continue
        try:
            shell = connect(machine)
            try:
                found.append(measure(machine.name, shell, machine.python))
            finally:
                shell.close()
        except FleetError as error:
            found.append(MachineClock(machine=machine.name, problem=str(error)))
    return found
