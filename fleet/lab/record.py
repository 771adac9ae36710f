"""What a lab remembers between two commands: its network, and the first process of each machine."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from fleet.errors import HostError
from fleet.host.files import write_private

FILE = "lab.json"


@dataclass(frozen=True)
class Started:
    """One machine as it was started."""

    number: int
    pid: int
    began: float
    """Seconds since the epoch: a process id alone may be another's by now."""


@dataclass(frozen=True)
class LabRecord:
    """The whole file."""

    subnet: str
    machines: tuple[Started, ...] = ()

    def of(self, number: int) -> Started | None:
        """How that machine was started; None when it was not."""
        return next((machine for machine in self.machines if machine.number == number), None)

    def without(self, number: int) -> LabRecord:
        """The same without that machine."""
        return LabRecord(self.subnet, tuple(m for m in self.machines if m.number != number))

    def having(self, started: Started) -> LabRecord:
        """The same with that machine."""
        rest = self.without(started.number).machines
        return LabRecord(self.subnet, tuple(sorted((*rest, started), key=lambda m: m.number)))


def load(root: Path) -> LabRecord | None:
    """The record in the lab's folder; None when there is no lab. HostError when it cannot be read."""
    file = root / FILE
    try:
        document = json.loads(file.read_bytes())
        return LabRecord(document["subnet"], tuple(Started(**entry) for entry in document["machines"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise HostError(f"{file} is no record of a lab ({error}): remove the file, then `fleet lab down`") from error


def save(root: Path, record: LabRecord) -> None:
    """Write it, atomically."""
    write_private(root / FILE, (json.dumps(asdict(record), indent=1) + "\n").encode())
