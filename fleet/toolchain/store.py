"""What is built in the cache: one folder per group with its manifest, and the check before use."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from platformdirs import user_cache_path

from fleet.errors import ToolchainError
from fleet.model.checksum import sha256_of
from fleet.toolchain import catalogue, digest, golang
from fleet.toolchain.catalogue import Catalogue

MANIFEST = "manifest.json"
FORMAT = 1
USED = "used.json"
"""In the cache: versions of Go that built what archives brought."""


class ToolchainMissing(ToolchainError):  # noqa: N818 -- the name that callers agreed on
    """Something that is needed is not built for these sources."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `manifest.json` says."""

    format: int
    digest: str
    go: str
    versions: dict[str, str]
    files: dict[str, str]
    """Path below the root to hex sha256."""


@dataclass(frozen=True)
class Part:
    """One group in a folder of its own: programs in `root/bin` and CRDs in `root/crds`, checked."""

    name: str
    root: Path
    digest: str
    versions: Mapping[str, str]
    """Program to upstream version."""
    programs: Mapping[str, Path]
    definitions: Mapping[str, Path]

    @property
    def bin(self) -> Path:
        """The folder of the programs; of one's own they may lie directly in the folder that was given."""
        return next((path.parent for path in self.programs.values()), self.root / "bin")


@dataclass(frozen=True)
class Toolchain:
    """All parts that something needs; of what several have, the first part's counts."""

    parts: tuple[Part, ...]

    @property
    def digest(self) -> str:
        """Of all parts together."""
        return digest.together({part.name: part.digest for part in self.parts})

    @property
    def versions(self) -> dict[str, str]:
        """Program to upstream version."""
        return {name: version for part in reversed(self.parts) for name, version in part.versions.items()}

    @property
    def programs(self) -> dict[str, Path]:
        """Program to its file."""
        return {name: path for part in reversed(self.parts) for name, path in part.programs.items()}

    @property
    def definitions(self) -> dict[str, Path]:
        """Plural of a CustomResourceDefinition to its file."""
        return {name: path for part in reversed(self.parts) for name, path in part.definitions.items()}

    def program(self, name: str) -> Path:
        """The executable of that name; ToolchainError when there is none."""
        return self._one(self.programs, name, "program")

    def crd(self, name: str) -> Path:
        """The CustomResourceDefinition of that plural; ToolchainError when there is none."""
        return self._one(self.definitions, name, "CRD")

    def _one(self, among: Mapping[str, Path], name: str, kind: str) -> Path:
        if name not in among:
            where = ", ".join(str(part.root) for part in self.parts) or "nothing is built"
            raise ToolchainError(f"{where}: no {kind} {name!r}; there are {', '.join(sorted(among)) or 'none'}")
        return among[name]


def default_cache() -> Path:
    """`$FLEET_CACHE_DIR`, else the user's cache folder."""
    given = os.environ.get("FLEET_CACHE_DIR")
    return Path(given) if given else user_cache_path("fleet")


def place(cache: Path, group: str, name: str) -> Path:
    """The folder of the group with that digest."""
    return cache / "toolchain" / f"{group}-{name.removeprefix('sha256:')[:16]}"


def places(source: Path, cache: Path, wanted: Catalogue) -> dict[str, Path]:
    """Group to its folder, built or not."""
    return {group: place(cache, group, name) for group, name in digests(source, cache, wanted).items()}


def digests(source: Path, cache: Path, wanted: Catalogue) -> dict[str, str]:
    """Group to the digest that it has here: of this machine's Go, or, where that is not built and the same sources
    came in an archive, of the Go that built the archive."""
    go = golang.find(cache, wanted.go_wheel)
    found = digest.of_groups(source, wanted, go)
    for version in _used(cache):
        missing = {group for group, name in found.items() if not (place(cache, group, name) / MANIFEST).exists()}
        if not missing:
            break
        part = wanted.model_copy(update={"groups": {name: wanted.groups[name] for name in missing}})
        packed = digest.of_groups(source, part, replace(go, version=version))
        found |= {group: name for group, name in packed.items() if (place(cache, group, name) / MANIFEST).exists()}
    return found


def remember(cache: Path, versions: Collection[str]) -> None:
    """Look, from now on, also for groups that another Go built: those of an archive."""
    file = cache / "toolchain" / USED
    content = msgspec.json.encode(sorted({*_used(cache), *versions}))
    fresh = file.with_name(f".{USED}.{os.getpid()}")
    fresh.write_bytes(content + b"\n")
    fresh.rename(file)


def _used(cache: Path) -> list[str]:
    file = cache / "toolchain" / USED
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[str])
    except FileNotFoundError:
        return []
    except msgspec.DecodeError as error:
        raise ToolchainError(f"{file}: {error}: remove it and take the archives again") from error


def locate(source: Path, cache: Path | None = None, needs: Collection[str] = ()) -> Toolchain:
    """What every fleet and `needs` need, built from the folder `source`, every file checked.

    `needs` are such as `manager:ocm`; ToolchainMissing names what is not built.
    """
    return opened(places(source, cache or default_cache(), catalogue.load(source, needs)))


def built(source: Path, cache: Path | None = None) -> Toolchain:
    """Every group that is built, whatever needs it; ToolchainMissing when none is."""
    folders = places(source, cache or default_cache(), catalogue.every(source))
    there = {group: root for group, root in folders.items() if (root / MANIFEST).exists()}
    return opened(there or folders)


def opened(folders: Mapping[str, Path]) -> Toolchain:
    """The groups in their folders, checked; ToolchainMissing names those that are not built."""
    missing = [group for group, root in folders.items() if not (root / MANIFEST).exists()]
    if missing:
        raise ToolchainMissing(f"not built yet: {', '.join(missing)}: run `fleet toolchain build`")
    return Toolchain(tuple(open_checked(group, root) for group, root in folders.items()))


def open_checked(group: str, root: Path) -> Part:
    """A group whose every file has the sha256 of its manifest; programs of one file are hashed once."""
    manifest = read_manifest(root)
    seen: dict[tuple[int, int], str] = {}
    for name, wanted in manifest.files.items():
        file = root / name
        try:
            state = file.stat()
        except OSError as error:
            raise ToolchainError(f"{file}: missing: remove {root} and run `fleet toolchain build`") from error
        key = (state.st_dev, state.st_ino)
        if key not in seen:
            seen[key] = sha256_of(file)
        if seen[key] != wanted:
            raise ToolchainError(
                f"{file}: sha256 is {seen[key]}, the manifest says {wanted}: remove {root} and run "
                "`fleet toolchain build`"
            )
    names = sorted(manifest.files)
    return Part(
        group,
        root,
        manifest.digest,
        manifest.versions,
        {name.removeprefix("bin/"): root / name for name in names if name.startswith("bin/")},
        {name.removeprefix("crds/").removesuffix(".yaml"): root / name for name in names if name.startswith("crds/")},
    )


def read_manifest(root: Path) -> Manifest:
    """ToolchainError for one that is damaged or of another format."""
    file = root / MANIFEST
    try:
        manifest = msgspec.json.decode(file.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise ToolchainError(f"{file}: {error}: remove {root} and run `fleet toolchain build`") from error
    if manifest.format != FORMAT:
        raise ToolchainError(f"{file}: format {manifest.format}, this version reads {FORMAT}: build again")
    return manifest
