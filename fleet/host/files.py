"""Private files: written atomically with mode 0600 in folders of mode 0700, wrong modes repaired."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from pathlib import Path

from fleet.errors import HostError

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700
WORLD_WRITABLE = 0o002


def mode_of(path: Path) -> int:
    """Permission bits of a file; FileNotFoundError when there is none."""
    return stat.S_IMODE(path.lstat().st_mode)


def private_directory(path: Path) -> bool:
    """Make sure that `path` is a folder of ours with mode 0700; True when something had to change.

    Raises HostError when it is a symlink, no folder, or another user's: keys must not be written there.
    """
    if path.is_symlink():
        raise HostError(
            f"{path} is a symbolic link; keys are only written into real folders: remove it or choose"
            f" another state folder"
        )
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=DIRECTORY_MODE)
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=DIRECTORY_MODE)
        path.chmod(DIRECTORY_MODE)
        return True
    info = path.lstat()
    if not stat.S_ISDIR(info.st_mode):
        raise HostError(f"{path} is not a folder: remove it or choose another state folder")
    if info.st_uid != os.geteuid():
        raise HostError(
            f"{path} belongs to uid {info.st_uid}, not to uid {os.geteuid()}: choose a state folder of your own"
        )
    if stat.S_IMODE(info.st_mode) != DIRECTORY_MODE:
        path.chmod(DIRECTORY_MODE)
        return True
    return False


def same_private(path: Path, data: bytes) -> bool:
    """Whether `path` is a plain file with exactly that content and mode 0600."""
    try:
        info = path.lstat()
        if not stat.S_ISREG(info.st_mode) or stat.S_IMODE(info.st_mode) != FILE_MODE:
            return False
        return path.read_bytes() == data
    except FileNotFoundError:
        return False


def write_private(path: Path, data: bytes) -> bool:
    """Write `data` with mode 0600, atomically; True when the content or the mode had to change."""
    if same_private(path, data):
        return False
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return True


def remove_tree(path: Path) -> bool:
    """Remove a folder and all in it; True when it was there. Symbolic links are removed, never followed."""
    if path.is_symlink() or path.is_file():
        path.unlink()
        return True
    if not path.exists():
        return False
    shutil.rmtree(path)
    return True
