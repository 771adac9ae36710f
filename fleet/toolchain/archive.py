"""An archive of built groups: what lies in it and what its manifest says.

`manifest.json` is the first member. After it comes a folder per group, named and laid out as in the cache: `bin/`,
`crds/`, its own `manifest.json`, and `licences/` with the texts of all modules compiled into it. A content that occurs
again is a hard link.
"""

from __future__ import annotations

import sys

import msgspec

from fleet.errors import UsageError
from fleet.toolchain import golang
from fleet.toolchain.licences import ModuleLicence

MANIFEST = "manifest.json"
FORMAT = 1
LARGEST_MANIFEST = 16 << 20
"""Bytes; that of all groups together takes 0.5 MiB."""


class PackedGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One group in the archive."""

    folder: str
    digest: str
    go: str
    """Version of the Go that built it."""
    modules: tuple[ModuleLicence, ...]


class Packed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `manifest.json` of an archive says."""

    format: int
    platform: str
    """As `linux/amd64`."""
    groups: dict[str, PackedGroup]
    files: dict[str, str]
    """Path in the archive to hex sha256, of every member but this one."""


def here() -> str:
    """The platform of this machine."""
    return f"{sys.platform}/{golang.architecture()}"


def decode(content: bytes, archive: str) -> Packed:
    """UsageError for a manifest that is damaged, of another format, or of another platform."""
    try:
        packed = msgspec.json.decode(content, type=Packed)
    except msgspec.DecodeError as error:
        raise UsageError(f"{archive}: {MANIFEST}: {error}: this is no archive of `fleet toolchain pack`") from error
    if packed.format != FORMAT:
        raise UsageError(f"{archive}: {MANIFEST}: format {packed.format}, this version reads {FORMAT}")
    if packed.platform != here():
        raise UsageError(f"{archive}: built for {packed.platform}, this machine is {here()}: take the archive for it")
    return packed
