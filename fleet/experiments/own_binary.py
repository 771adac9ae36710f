"""A program of the user's, named by path and sha256, that an experiment takes in place of one of the toolchain's."""

from __future__ import annotations

import os
from pathlib import Path

from fleet.model.checksum import sha256_of


def wrong(binary: str, sha256: str, prefix: str = "") -> str:
    """Why the file is not the one that was meant; empty where it is. `prefix` stands before the name of the field."""
    path = Path(binary)
    if not path.is_absolute() or not path.is_file() or not os.access(path, os.X_OK):
        return f"{prefix}binary: {path} is no absolute path of an executable file"
    found = sha256_of(path)
    return "" if found == sha256 else f"{prefix}sha256: that of {path} is {found}, not {sha256}"
