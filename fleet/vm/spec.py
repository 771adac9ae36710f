"""What virtual machines are made of: an image, a size, and where each one's files lie. Pure values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from fleet.errors import SpecError, UsageError
from fleet.model.base import Model
from fleet.model.model_errors import FieldPath, Place, validate

FOLDER = ".vm"
"""Below the state folder; no fleet can have this name."""
USER = "fleet"
MAX_MACHINES = 20
GUEST_ADDRESS, GUEST_GATEWAY, GUEST_DNS = "10.0.2.15/24", "10.0.2.2", "10.0.2.3"
"""Of every guest: QEMU's user-mode network, which each machine has for itself."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Image(Model):
    """A disk image with cloud-init in it, raw or qcow2; a copy-on-write disk of each machine lies over it."""

    path: str = ""
    url: str = ""
    sha256: str = ""
    """Of the image; needed with `url`, checked with `path` when it is given."""
    kernel: str = ""
    """For an image without a boot loader: its kernel, a path; then `root` says where its root file system is."""
    initrd: str = ""
    root: str = "/dev/vda"

    @field_validator("sha256")
    @classmethod
    def _hexadecimal(cls, value: str) -> str:
        found = value.strip().lower().removeprefix("sha256:")
        if found and not _SHA256.fullmatch(found):
            raise ValueError(f"{value!r} is not a SHA-256: write its 64 hexadecimal digits")
        return found

    @field_validator("url")
    @classmethod
    def _https(cls, value: str) -> str:
        if value and not value.startswith("https://"):
            raise ValueError(f"{value!r} is no https URL")
        return value

    @field_validator("path", "kernel", "initrd")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if value and not Path(value).is_absolute():
            raise ValueError(f"{value!r} is not absolute")
        if "," in value:
            raise ValueError(f"{value!r} holds a comma, by which QEMU separates its options: rename it")
        return value

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.path) == bool(self.url):
            raise ValueError("give either path or url")
        if self.url and not self.sha256:
            raise ValueError("sha256: is needed with url: nothing is trusted because of where it came from")
        if bool(self.kernel) != bool(self.initrd):
            raise ValueError("give both kernel and initrd, or neither")
        return self


class Size(Model):
    """Of each machine."""

    cpus: int = Field(default=2, ge=1, le=256)
    memory_mib: int = Field(default=3072, ge=256, le=4_194_304)
    disk_gib: int = Field(default=10, ge=1, le=10_000)
    """At least the image's own size; only what is written takes space."""
    accelerator: Literal["auto", "kvm", "tcg"] = "auto"
    """tcg is plain emulation; auto is KVM where it may be used and works, else emulation."""
    outside: bool = False
    """Whether the machines reach this host and what is beyond it; SSH into them works either way."""


class Wanted(Model):
    """All that makes a machine another one when it changes."""

    image: Image
    size: Size = Size()


def wanted_of(image: dict[str, Any], size: dict[str, Any]) -> Wanted:
    """From what a user gave; UsageError names field and how to fix it."""

    def place(_: FieldPath) -> Place:
        return None, None

    try:
        return validate(Wanted, {"image": image, "size": size}, place)
    except SpecError as error:
        raise UsageError(str(error)) from error


@dataclass(frozen=True)
class Vm:
    """One machine."""

    number: int
    root: Path
    """The folder of all machines."""
    port: int
    """On loopback of this host; leads to the machine's SSH server."""

    @property
    def name(self) -> str:
        """`vm1` and so on; its hostname and its name in the inventory."""
        return f"vm{self.number}"

    @property
    def mac(self) -> str:
        """Of its one network card; locally administered."""
        return f"52:54:00:66:6c:{self.number:02x}"

    @property
    def folder(self) -> Path:
        """Everything of it."""
        return self.root / self.name

    @property
    def host_key(self) -> Path:
        """Private host key, made here and given to the machine in its seed."""
        return self.folder / "ssh" / "host_key"

    @property
    def disk(self) -> Path:
        """What it wrote over the image."""
        return self.folder / "disk.qcow2"

    @property
    def seed(self) -> Path:
        """What cloud-init reads."""
        return self.folder / "seed.iso"

    @property
    def console(self) -> Path:
        """What it said on its serial port."""
        return self.folder / "console.log"
