"""One experiment at a time on a fleet: a lock that names its holder."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from fleet.errors import FleetError
from fleet.model.build_progress import is_held

LOCK = "experiment.lock"
HOLDER = "experiment.holder"


@contextlib.contextmanager
def held(state: Path, what: str) -> Iterator[None]:
    """Hold the fleet in folder `state` for `what`; FleetError at once, with the holder's name, when another does.

    The kernel gives the lock back when the holder dies, however it dies; the holder's file is for the message only.
    """
    lock = FileLock(state / LOCK, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        raise FleetError(
            f"{state}: another experiment holds this fleet: {_holder(state)}. Wait for it, or end that process"
        ) from None
    except OSError as error:
        raise FleetError(f"{state / LOCK}: {error.strerror}; the fleet's folder must be writable") from error
    holder = state / HOLDER
    try:
        _write(holder, json.dumps({"pid": os.getpid(), "what": what}))
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink()
        lock.release()


def holder(state: Path) -> str:
    """What holds the fleet in folder `state` now, and its process; empty when nothing does."""
    return _holder(state) if is_held(state / LOCK) else ""


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _holder(state: Path) -> str:
    try:
        known = json.loads((state / HOLDER).read_text())
        return f"{known['what']} (process {int(known['pid'])})"
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown"
