"""Programs of the user's own instead of built ones: each must have the sha256 that the inventory gives."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from fleet.errors import ToolchainError, UsageError
from fleet.model.checksum import sha256_of
from fleet.toolchain.store import Part, Toolchain


def supplied(directory: Path, sha256: Mapping[str, str]) -> Toolchain:
    """A toolchain of `directory/<program>` (or `directory/bin/<program>`) and `directory/crds/<plural>.yaml`.

    `sha256` maps program, or `crds/<plural>.yaml`, to hex; a file that is not in it is not used.
    UsageError for an empty mapping or a missing file, ToolchainError (with both hashes) for a wrong one.
    """
    if not sha256:
        raise UsageError("fleet_toolchain_sha256: empty: fleet_toolchain_dir needs the sha256 of every program")
    programs: dict[str, Path] = {}
    definitions: dict[str, Path] = {}
    for name, wanted in sha256.items():
        file = _find(directory, name)
        found = sha256_of(file)
        if found != wanted.lower():
            raise ToolchainError(f"{file}: sha256 is {found}, fleet_toolchain_sha256 says {wanted}")
        if name.startswith("crds/"):
            definitions[file.stem] = file
        else:
            programs[name] = file
    lines = "".join(f"{name} {sha256[name].lower()}\n" for name in sorted(sha256))
    name = f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"
    versions = dict.fromkeys(programs, "supplied")
    return Toolchain((Part("supplied", directory, name, versions, programs, definitions),))


def _find(directory: Path, name: str) -> Path:
    if ".." in Path(name).parts or Path(name).is_absolute():
        raise UsageError(f"fleet_toolchain_sha256: {name!r} is no name within fleet_toolchain_dir")
    for file in (directory / name, directory / "bin" / name):
        if file.is_file():
            return file
    raise UsageError(f"fleet_toolchain_dir: {directory} holds no {name!r}, which fleet_toolchain_sha256 names")
