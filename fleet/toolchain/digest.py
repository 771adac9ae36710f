"""The name of a toolchain: a digest over everything that decides what is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from fleet.toolchain.golang import Go

SUFFIXES = {".go", ".mod", ".sum", ".yaml"}
TEST = "_test.go"
"""Go builds no program from these."""
CHUNK = 1 << 20


def of_source(source: Path, go: Go, manager: str = "") -> str:
    """`sha256:<hex>` over names and contents of the sources, Go's version and the architecture, for every fleet or for
    what one with that manager needs beside."""
    return of_folder(source, go, *([manager.encode()] if manager else []))


def of_folder(folder: Path, go: Go, *more: bytes) -> str:
    """The same over the sources of one folder, and `more`."""
    return of_sources(folder, f"go {go.version} {go.architecture}\n".encode(), more)


def of_sources(folder: Path, before: bytes = b"", more: Iterable[bytes] = ()) -> str:
    """`sha256:<hex>` over names and contents of the sources of a folder, and over the given texts."""
    digest = hashlib.sha256(before)
    for text in more:
        digest.update(f"{len(text)}\n".encode())
        digest.update(text)
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and _decides(path.name)):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(folder).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return f"sha256:{digest.hexdigest()}"


def _decides(name: str) -> bool:
    return Path(name).suffix in SUFFIXES and not name.endswith(TEST)


def of_file(file: Path) -> str:
    """Hex sha256 of one file."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def of_text(text: str) -> str:
    """Hex sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()
