"""One group's build with npm: its packages by the lock file, the package that it is about, and its bundles."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from fleet.errors import ToolchainError
from fleet.toolchain import licences
from fleet.toolchain.catalogue import Group, Module

SECONDS = 900.0
TAIL = 15
"""Lines of npm's own words that an error repeats."""
PACKAGES = "packages.json"
"""What a build writes alongside its bundles: which packages are in them."""
SCRIPT = "build.mjs"
"""Of a group: `node build.mjs OUT` makes its programs."""


class _Package(msgspec.Struct, frozen=True):
    name: str
    version: str
    folder: str


def build(source: Path, group: Group, scratch: Path, partial: Path) -> None:
    """Make the programs of the group with the folder `source` in `partial/bin`, and the licences of what is in them.

    `scratch` is a new folder, for the packages. ToolchainError names what cannot be had.
    """
    for name in ("npm", "node"):
        if shutil.which(name) is None:
            raise ToolchainError(f"{source.name}: {name} is needed and not in PATH: apt-get install nodejs npm")
    place = scratch / source.name
    shutil.copytree(source, place, ignore=shutil.ignore_patterns("node_modules"))
    _run(place, ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
    for module in group.modules.values():
        _unpack(place, module, group.npm)
    out = scratch / "out"
    out.mkdir()
    _run(place, ["node", SCRIPT, str(out)])
    for programs in group.packages.values():
        for program in programs:
            shutil.move(out / program, partial / "bin" / program)
    _licences(place, out / PACKAGES, partial, source.parent.parent)


def _unpack(place: Path, module: Module, integrity: str) -> None:
    """The package into node_modules, without its own dependencies: what of them is needed is in the lock file."""
    done = _run(place, ["npm", "pack", "--silent", "--json", f"{module.module}@{module.version}"])
    (packed,) = json.loads(done)
    archive = place / packed["filename"]
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    found = f"sha512-{base64.b64encode(digest).decode()}"
    if found != integrity:
        raise ToolchainError(
            f"{place.name}: {module.module}@{module.version} is not what versions.yaml says ({found}): do not use this"
            " registry (npm config get registry)"
        )
    target = place / "node_modules" / module.module
    target.mkdir(parents=True)
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):  # Python 3.11.4 and newer; what is in it is known by its sha512 anyway
            tar.extraction_filter = tarfile.data_filter
        tar.extractall(place / "unpacked")  # noqa: S202 - likewise
    for path in (place / "unpacked" / "package").iterdir():
        shutil.move(path, target / path.name)


def _licences(place: Path, listed: Path, partial: Path, checkout: Path) -> None:
    """As an archive has them (fleet.toolchain.pack): the packages are gone when that is made."""
    packages = msgspec.json.decode(listed.read_bytes(), type=list[_Package])
    found = [licences.of_folder(one.name, one.version, place / one.folder) for one in packages]
    found.append(licences.of_folder(licences.OURS, "", checkout))
    for _, texts in found:
        for name, text in texts.items():
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(text, partial / name)
    index = partial / licences.INDEX
    modules = sorted({entry for entry, _ in found}, key=lambda module: (module.module, module.version))
    index.write_bytes(msgspec.json.format(msgspec.json.encode(modules)) + b"\n")


def _run(folder: Path, argv: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            argv, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolchainError(f"{folder.name}: {' '.join(argv[:2])}: {error}") from error
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-TAIL:])
        fix = "npm cannot have its packages: connect once, or set a registry that has them (npm config get registry)"
        if argv[0] == "node":
            fix = "its bundles cannot be made with this Node: node --version"
        raise ToolchainError(f"{folder.name}: {fix}\n{tail}")
    return done.stdout
