"""A built toolchain in the cache: its manifest, and the check before use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from platformdirs import user_cache_path

from fleet.errors import ToolchainError
from fleet.toolchain import catalogue, digest, golang

MANIFEST = "manifest.json"
FORMAT = 1


class ToolchainMissing(ToolchainError):  # noqa: N818 -- the name that callers agreed on
    """Nothing is built for these sources."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `manifest.json` says."""

    format: int
    digest: str
    go: str
    versions: dict[str, str]
    files: dict[str, str]
    """Path below the root to hex sha256."""


@dataclass(frozen=True)
class Toolchain:
    """Programs in `root/bin` and CRDs in `root/crds`, checked."""

    root: Path
    digest: str
    versions: Mapping[str, str]
    """Program to upstream version."""
    programs: Mapping[str, Path]
    definitions: Mapping[str, Path]

    def program(self, name: str) -> Path:
        """The executable of that name; ToolchainError when there is none."""
        return self._one(self.programs, name, "program")

    def crd(self, name: str) -> Path:
        """The CustomResourceDefinition of that plural; ToolchainError when there is none."""
        return self._one(self.definitions, name, "CRD")

    def crds(self) -> tuple[Path, ...]:
        """All of them, by plural."""
        return tuple(self.definitions[name] for name in sorted(self.definitions))

    def _one(self, among: Mapping[str, Path], name: str, kind: str) -> Path:
        if name not in among:
            raise ToolchainError(f"{self.root}: no {kind} {name!r}; there are {', '.join(sorted(among)) or 'none'}")
        return among[name]


def default_cache() -> Path:
    """`$FLEET_CACHE_DIR`, else the user's cache folder."""
    given = os.environ.get("FLEET_CACHE_DIR")
    return Path(given) if given else user_cache_path("fleet")


def place(cache: Path, name: str) -> Path:
    """The folder of the toolchain with that digest."""
    return cache / "toolchain" / name.removeprefix("sha256:")[:16]


def locate(source: Path, cache: Path | None = None, manager: str = "") -> Toolchain:
    """The toolchain built from the folder `source`, every file checked; ToolchainMissing when there is none.

    With `manager` that of the programs which only a fleet with it has.
    """
    cache = cache or default_cache()
    go = golang.find(cache, catalogue.load(source).go_wheel)
    root = place(cache, digest.of_source(source, go, manager))
    if not (root / MANIFEST).exists():
        raise ToolchainMissing(f"{root}: not built yet: run `fleet toolchain build`")
    return open_checked(root)


def open_checked(root: Path) -> Toolchain:
    """A toolchain whose every file has the sha256 of its manifest; programs of one file are hashed once."""
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
            seen[key] = digest.of_file(file)
        if seen[key] != wanted:
            raise ToolchainError(
                f"{file}: sha256 is {seen[key]}, the manifest says {wanted}: remove {root} and run "
                "`fleet toolchain build`"
            )
    names = sorted(manifest.files)
    return Toolchain(
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
        raise ToolchainError(f"{file}: format {manifest.format}, this version reads {FORMAT}: build anew")
    return manifest
