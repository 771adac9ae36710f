"""One JSON line per WorkStatus write: which object and version went in, which version came out, and when."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import orjson

from fleet.errors import HostError

Op = Literal["create", "status", "label", "delete"]

BUFFER_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Line:
    """One write that the hub answered."""

    wec: str
    op: Op
    kind: str
    namespace: str
    name: str
    uid: str
    """Of the WEC object; empty for an orphan, whose object was never seen."""
    wec_rv: str
    """resourceVersion of the WEC object that asked for the write."""
    ws: str
    """Name of the WorkStatus."""
    ws_rv: str
    """resourceVersion that the hub answered; empty for a delete."""
    in_ns: int
    """time.monotonic_ns() at watch receipt of that version."""
    out_ns: int
    """time.monotonic_ns() right after the hub's answer was read."""


class Journal:
    """Appends lines to a file of mode 0600; does nothing without a path, and before `open`."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def write(self, line: Line) -> None:
        """Append one line; it reaches the file at the next `flush` or when the buffer is full."""
        if self._file is not None:
            self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def flush(self) -> None:
        """Hand what was written to the kernel."""
        if self._file is not None:
            self._file.flush()

    def open(self) -> None:
        """Open the file, anew if it is open: something may have rotated it away. HostError when that fails."""
        if self._path is not None:
            self.close()
            self._file = _open(self._path)

    def close(self) -> None:
        """Flush and close; later writes are dropped."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _open(path: Path) -> IO[bytes]:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise HostError(f"log {path}: {error.strerror}; make its folder, or name another file") from error
    return os.fdopen(descriptor, "ab", buffering=BUFFER_BYTES)
