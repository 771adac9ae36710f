"""The program that injects and heals on one machine: `python -m fleet.faults.helper`, spoken to over its pipes.

First line of stdin: an `Opening` as JSON. Then one order per line, an `Order`; the answer is one JSON string, empty
when it was done and else what went wrong, and an empty line. At the end of stdin it heals what it had injected and not
healed, so that a driver that was killed leaves no fault behind.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import orjson

from fleet.errors import FleetError
from fleet.faults.fault import Aim
from fleet.faults.registry import FAULTS
from fleet.model.base import Model
from fleet.observe import priority


class Opening(Model):
    """What the helper is given first."""

    root: str
    """The fleet's folder on its machine."""


class Order(Model):
    """One order."""

    verb: Literal["inject", "heal"]
    aim: Aim


def serve(opening: Opening, orders: Iterable[bytes], answer: Callable[[bytes], None]) -> None:
    """Carry out orders until they end, then heal what is left."""
    root = Path(opening.root)
    held: dict[str, Aim] = {}
    try:
        for line in orders:
            order = Order.model_validate_json(line)
            held[order.aim.target] = order.aim
            answer(orjson.dumps(_done(order.verb, order.aim, root)) + b"\n\n")
            if order.verb == "heal":
                del held[order.aim.target]
    finally:
        for aim in reversed(held.values()):
            _done("heal", aim, root)


def _done(verb: Literal["inject", "heal"], aim: Aim, root: Path) -> str:
    """Empty when it was done, else why not."""
    fault = FAULTS[aim.action]
    try:
        (fault.inject if verb == "inject" else fault.heal)(aim, root)
    except (FleetError, OSError) as error:
        return str(error) or type(error).__name__
    return ""


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def main() -> None:
    """The driver's raised priority is not for this program."""
    priority.give_up()
    lines = iter(sys.stdin.buffer.readline, b"")
    serve(Opening.model_validate_json(next(lines)), lines, _write)


if __name__ == "__main__":
    main()
