"""`fleet toolchain pack`: built groups and the licences of all that is in them, as one archive for one platform.

The same programs give the same bytes: members are sorted, and owners and times are left out.
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fleet.errors import ToolchainError
from fleet.model.checksum import sha256_of
from fleet.toolchain import archive, digest, licences, store
from fleet.toolchain.archive import Packed, PackedGroup
from fleet.toolchain.catalogue import Catalogue
from fleet.toolchain.licences import ModuleLicence
from fleet.toolchain.store import Part

PROGRAM, TEXT = 0o755, 0o644
LEVEL = 6
"""Of gzip: 9 takes three times as long for 1 % less."""


@dataclass(frozen=True)
class Archive:
    """An archive that was written."""

    file: Path
    sha256: str
    unlicensed: tuple[str, ...]
    """Modules without a licence text that is known."""


def pack(source: Path, cache: Path, wanted: Catalogue, folder: Path) -> Archive:
    """Write the groups of `wanted` into `folder`; ToolchainMissing names those that are not built.

    ToolchainError when the texts of a module cannot be found.
    """
    toolchain = store.opened(store.places(source, cache, wanted))
    groups: dict[str, PackedGroup] = {}
    members: dict[str, Path] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for part in toolchain.parts:
            modules, files = _with_licences(part, source, cache, wanted, Path(scratch))
            go = store.read_manifest(part.root).go
            groups[part.name] = PackedGroup(part.root.name, part.digest, go, modules)
            members.update({f"{part.root.name}/{name}": file for name, file in files.items()})
        hashes = _hashes(members)
        packed = Packed(archive.FORMAT, archive.here(), groups, hashes)
        platform = packed.platform.replace("/", "-")
        name = f"fleet-toolchain-{platform}-{digest.of_text(toolchain.digest)[:16]}.tar.gz"
        written = _write(folder / name, packed, members)
    unlicensed = {m.module for group in groups.values() for m in group.modules if m.licence == licences.UNKNOWN}
    return Archive(written, sha256_of(written), tuple(sorted(unlicensed)))


def _with_licences(
    part: Part, source: Path, cache: Path, wanted: Catalogue, scratch: Path
) -> tuple[tuple[ModuleLicence, ...], dict[str, Path]]:
    """The modules of a group, and its files by their path below its folder."""
    names = [store.MANIFEST, *(f"bin/{name}" for name in part.programs)]
    names += [f"crds/{name}.yaml" for name in part.definitions]
    files = {name: part.root / name for name in names}
    index = part.root / licences.INDEX
    if index.exists():  # it came out of an archive itself
        try:
            modules = msgspec.json.decode(index.read_bytes(), type=tuple[ModuleLicence, ...])
        except msgspec.DecodeError as error:
            raise ToolchainError(f"{index}: {error}: remove {part.root} and take its archive again") from error
        return modules, files | {licences.INDEX: index} | {t: part.root / t for m in modules for t in m.texts}
    found = licences.of_group(source, cache, part.name, wanted)
    modules = tuple(sorted(found, key=lambda module: (module.module, module.version)))
    written = scratch / f"{part.name}.json"
    written.write_bytes(msgspec.json.format(msgspec.json.encode(modules)) + b"\n")
    return modules, files | {licences.INDEX: written} | {
        t: file for texts in found.values() for t, file in texts.items()
    }


def _hashes(members: dict[str, Path]) -> dict[str, str]:
    """Path in the archive to hex sha256; a file that has several names is read once."""
    seen: dict[tuple[int, int], str] = {}
    hashes = {}
    for name in sorted(members):
        state = members[name].stat()
        key = (state.st_dev, state.st_ino)
        if key not in seen:
            seen[key] = sha256_of(members[name])
        hashes[name] = seen[key]
    return hashes


def _write(target: Path, packed: Packed, members: dict[str, Path]) -> Path:
    """At once: what is there under that name is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with (
            partial.open("wb") as raw,
            gzip.GzipFile("", "wb", LEVEL, raw, mtime=0) as stream,
            tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            content = msgspec.json.format(msgspec.json.encode(packed)) + b"\n"
            tar.addfile(_entry(archive.MANIFEST, len(content), TEXT), io.BytesIO(content))
            first: dict[str, str] = {}
            for name, sha256 in packed.files.items():
                if sha256 in first:
                    entry = _entry(name, 0, TEXT)
                    entry.type, entry.linkname = tarfile.LNKTYPE, first[sha256]
                    tar.addfile(entry)
                    continue
                first[sha256] = name
                mode = PROGRAM if name.split("/")[1] == "bin" else TEXT
                with members[name].open("rb") as file:
                    tar.addfile(_entry(name, members[name].stat().st_size, mode), file)
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def _entry(name: str, size: int, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, mode
    return entry
