"""One JSON line per WorkStatus write: which object and version went in, which version came out, and when."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import orjson

from fleet.errors import HostError

log = logging.getLogger(__name__)

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
    """resourceVersion of the WEC object that requested the write."""
    ws: str
    """Name of the WorkStatus."""
    ws_rv: str
    """resourceVersion that the hub answered; empty for a delete."""
    in_ns: int
    """time.monotonic_ns() at watch receipt of that version."""
    out_ns: int
    """time.monotonic_ns() right after the hub's answer was read."""


class Journal:
    """Appends lines to a file of mode 0600; does nothing without a path, and before `open`.

    A disk that refuses (full, quota) costs lines, never the agent: the file keeps whole lines only, the loss is logged
    when it begins and, with the number of lines, when the disk takes lines again or the file is closed.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file = -1
        self._buffer = bytearray()
        self._lost = 0
        self._refused = False
        """The disk refused the last time."""

    def write(self, line: Line) -> None:
        """Append one line; it reaches the file at the next `flush` or when the buffer is full."""
        if self._file != -1:
            self._buffer += orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
            if len(self._buffer) >= BUFFER_BYTES:
                self.flush()

    def flush(self) -> None:
        """Hand what was written to the kernel; lines that it refuses are dropped and counted."""
        if not self._buffer:
            return
        data, self._buffer = bytes(self._buffer), bytearray()
        done = 0
        try:
            while done < len(data):
                done += os.write(self._file, data[done:])
        except OSError as error:
            self._refuse(data, done, error)
        else:
            self._recovered()

    def open(self) -> None:
        """Open the file, again if it is open: something may have rotated it away. HostError when that fails."""
        if self._path is not None:
            self.close()
            self._file = _open(self._path)

    def close(self) -> None:
        """Flush and close; later writes are dropped."""
        if self._file != -1:
            self.flush()
            if self._refused:
                log.error("%s: %d lines were lost", self._path, self._lost)
            os.close(self._file)
            self._file, self._lost, self._refused = -1, 0, False

    def _refuse(self, data: bytes, done: int, error: OSError) -> None:
        whole = data.rfind(b"\n", 0, done) + 1
        if whole < done:
            os.ftruncate(self._file, os.fstat(self._file).st_size - (done - whole))
        self._lost += data.count(b"\n", whole)
        if not self._refused:
            log.error("%s: %s; its lines are lost until there is space again", self._path, error.strerror)
        self._refused = True

    def _recovered(self) -> None:
        if self._refused:
            log.warning("%s: takes lines again; %d were lost", self._path, self._lost)
            self._lost, self._refused = 0, False


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise HostError(f"log {path}: {error.strerror}; make its folder, or name another file") from error
