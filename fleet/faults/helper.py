"""The program that injects and heals on one machine: `python -m fleet.faults.helper`, spoken to over its pipes.

First line of stdin: an `Opening` as JSON. Then one order per line, an `Order`; the answer is one JSON string, empty
when it was done and else what went wrong, and an empty line. Before anything is done it leaves a repair note
(`fleet.faults.notes`). At the end of stdin it heals what it had injected and not healed, so that a driver that was
killed leaves no fault behind; when it is killed itself, the notes say to the next one what to heal (`repair`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import orjson

from fleet.errors import FleetError
from fleet.faults import notes
from fleet.faults.fault import Aim
from fleet.faults.registry import FAULTS
from fleet.model.base import Model
from fleet.observe import priority

Verb = Literal["repair", "refuse", "prepare", "inject", "heal"]


class Opening(Model):
    """What the helper is given first."""

    root: str
    """The fleet's folder on its machine."""


class Order(Model):
    """One order; `repair` has no aim."""

    verb: Verb
    aim: Aim | None = None


def serve(opening: Opening, orders: Iterable[bytes], answer: Callable[[bytes], None]) -> None:
    """Carry out orders until they end, then heal what is left."""
    root = Path(opening.root)
    held: dict[str, Aim] = {}
    try:
        for line in orders:
            order = Order.model_validate_json(line)
            if order.aim is not None and order.verb in ("prepare", "inject"):
                held[order.aim.key] = order.aim
            done = _done(order.verb, order.aim, root)
            answer(orjson.dumps(done) + b"\n\n")
            if order.aim is not None and order.verb == "heal" and not done:
                held.pop(order.aim.key, None)
    finally:
        for aim in reversed(held.values()):
            _done("heal", aim, root)


def heal(aim: Aim, root: Path) -> None:
    """Undo one fault, whoever did it."""
    FAULTS[aim.action].heal(aim, root)


def abandon(root: Path) -> None:
    """The fleet is about to be removed: take away what faults have changed outside of its folder."""
    for aim in notes.pending(root):
        FAULTS[aim.action].abandon(aim, root)


def _done(verb: Verb, aim: Aim | None, root: Path) -> str:
    """Empty when it was done, else why not."""
    try:
        if aim is None:
            return "; ".join(notes.repair(root, heal)[1])
        fault = FAULTS[aim.action]
        match verb:
            case "refuse":
                return fault.refuse(aim, root)
            case "prepare" | "inject":
                notes.write(root, aim)
                (fault.prepare if verb == "prepare" else fault.inject)(aim, root)
            case _:
                fault.heal(aim, root)
                notes.remove(root, aim)
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
