"""What is remembered of virtual machines between two commands: of each its process, and what it was started as."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from fleet.errors import HostError
from fleet.host.files import write_private
from fleet.model.base import Model
from fleet.vm.spec import Wanted

FILE = "vms.json"


class Started(Model):
    """One machine as it was started."""

    number: int
    pid: int
    began: float
    """Seconds since the epoch: a process id alone may be another's by now."""
    wanted: Wanted
    kvm: bool = False


class VmRecord(Model):
    """The whole file."""

    machines: list[Started] = Field(default_factory=list)

    def of(self, number: int) -> Started | None:
        """How that machine was started; None when it was not."""
        return next((machine for machine in self.machines if machine.number == number), None)

    def without(self, number: int) -> VmRecord:
        """The same without that machine."""
        return VmRecord(machines=[machine for machine in self.machines if machine.number != number])

    def having(self, started: Started) -> VmRecord:
        """The same with that machine."""
        rest = self.without(started.number).machines
        return VmRecord(machines=sorted([*rest, started], key=lambda machine: machine.number))


def load(root: Path) -> VmRecord:
    """The record in the machines' folder; an empty one when there is none. HostError when it cannot be read."""
    file = root / FILE
    try:
        return VmRecord.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return VmRecord()
    except ValidationError as error:
        raise HostError(f"{file} is no record of machines: end their qemu processes, then remove {root}") from error


def save(root: Path, record: VmRecord) -> None:
    """Write it, atomically."""
    write_private(root / FILE, record.model_dump_json(indent=1).encode() + b"\n")
