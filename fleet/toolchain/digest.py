"""The name of a group of programs: a digest over everything that decides what is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from fleet.toolchain.catalogue import Catalogue
from fleet.toolchain.golang import Go

SUFFIXES = frozenset({".go", ".mod", ".sum", ".yaml"})
NPM_SUFFIXES = frozenset({".js", ".jsx", ".mjs", ".json"})
TEST = "_test.go"
"""Go builds no program from these."""
NOT_BUILT = frozenset({"seconds", "needed_by", "npm", "instead"})
"""Of a group: when and how long, not what; the CRDs that it has `instead` are a part of it by themselves."""
PATCH = "patch"
"""Folder of the program that patches, below `toolchain/`."""


def of_groups(source: Path, catalogue: Catalogue, go: Go) -> dict[str, str]:
    """Group to `sha256:<hex>` of all that decides what it gives: sources, its part of the catalogue, and Go."""
    found = {}
    for name, group in catalogue.groups.items():
        crds = {plural: crd.model_dump() for plural, crd in catalogue.definitions(name).items()}
        stanza = {**group.model_dump(exclude={*NOT_BUILT, "patches", "beside"}), "crds": crds}
        more = [of_sources(source / folder).encode() for folder in group.beside]
        if group.patches:
            stanza["patches"] = [patch.model_dump() for patch in group.patches]
            more.append(of_sources(source / PATCH).encode())
        if group.npm:  # the bundler is one of its packages: which Node runs it decides nothing
            more.append(group.npm.encode())
            text = msgspec.json.encode(stanza, order="deterministic")
            found[name] = of_sources(source / name, more=(text, *more), suffixes=NPM_SUFFIXES)
            continue
        found[name] = of_folder(source / name, go, msgspec.json.encode(stanza, order="deterministic"), *more)
    return found


def together(digests: Mapping[str, str]) -> str:
    """One digest for several groups; of one group its own."""
    if len(digests) == 1:
        return next(iter(digests.values()))
    lines = "".join(f"{name} {digests[name]}\n" for name in sorted(digests))
    return f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"


def of_folder(folder: Path, go: Go, *more: bytes) -> str:
    """`sha256:<hex>` over the sources of one folder (names, contents), Go's version, the architecture, and `more`."""
    return of_sources(folder, f"go {go.version} {go.architecture}\n".encode(), more)


def of_sources(
    folder: Path, before: bytes = b"", more: Iterable[bytes] = (), suffixes: frozenset[str] = SUFFIXES
) -> str:
    """`sha256:<hex>` over names and contents of the sources of a folder, and over the given texts."""
    digest = hashlib.sha256(before)
    for text in more:
        digest.update(f"{len(text)}\n".encode())
        digest.update(text)
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and _decides(path.name, suffixes)):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(folder).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return f"sha256:{digest.hexdigest()}"


def _decides(name: str, suffixes: frozenset[str]) -> bool:
    return Path(name).suffix in suffixes and not name.endswith(TEST)


def of_text(text: str) -> str:
    """Hex sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()
