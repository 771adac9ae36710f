"""Repair notes: what a fault has changed on this machine, written before it does, so that whoever comes next undoes it.

They lie in `<fleet's folder>/faults/`: `<key>.json` holds the aim, the folder `<key>/` what the fault keeps.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from fleet.errors import FleetError
from fleet.faults.fault import Aim
from fleet.host.files import private_directory, write_private

FOLDER = "faults"


def write(root: Path, aim: Aim) -> None:
    """Note the fault; durable when this returns."""
    private_directory(root / FOLDER)
    write_private(root / FOLDER / f"{aim.key}.json", aim.model_dump_json().encode() + b"\n")


def remove(root: Path, aim: Aim) -> None:
    """It is undone."""
    shutil.rmtree(kept(root, aim), ignore_errors=True)
    (root / FOLDER / f"{aim.key}.json").unlink(missing_ok=True)


def kept(root: Path, aim: Aim) -> Path:
    """The folder for what a fault keeps until it is healed."""
    return root / FOLDER / aim.key


def pending(root: Path) -> list[Aim]:
    """Faults that nobody has undone, the newest first."""
    found = []
    for file in sorted((root / FOLDER).glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True):
        try:
            found.append(Aim.model_validate_json(file.read_bytes()))
        except ValidationError as error:
            raise FleetError(f"{file} is damaged: look at what it says, undo that, and remove the file") from error
    return found


def repair(root: Path, heal: Callable[[Aim, Path], None]) -> tuple[list[str], list[str]]:
    """Undo every fault that was left; what was undone, and what could not be, each as a sentence."""
    done, left = [], []
    for aim in pending(root):
        try:
            heal(aim, root)
        except (FleetError, OSError) as error:
            left.append(f"{aim.action} of {aim.target}, left by a run that was killed, could not be undone: {error}")
        else:
            remove(root, aim)
            done.append(f"{aim.action} of {aim.target}, left by a run that was killed, was undone")
    return done, left
