"""Writes the files of an export: each whole or not at all, never outside of its folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from fleet.errors import UsageError


def write_all(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write them below `folder`, which is made; the paths, in their order. UsageError for a folder that cannot be."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"--out: {folder} is not a folder; name another")
    written = []
    for name, content in files.items():
        relative = PurePosixPath(name)
        if relative.is_absolute() or ".." in relative.parts:
            raise UsageError(f"{name!r} leaves the folder of the export")
        path = folder / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{os.getpid()}.partial")
        try:
            partial.write_bytes(content)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        written.append(path)
    return written
