"""Appending to `events.jsonl` and reading it again, whole or cut off in the middle of a line."""

from __future__ import annotations

import gzip
import os
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from fleet.errors import MeasurementError, UsageError
from fleet.results import format1
from fleet.results.events import FORMAT, Line, decode, encode

FLUSH_SECONDS = 0.5
"""A line is in the kernel's hands after at most this long, so that a SIGKILL of the driver loses no more."""

_CHUNK = 1 << 18
"""Bytes held back at most: a burst does not wait for the clock."""


class EventLog:
    """Append-only writer of one `events.jsonl`, safe to call from one thread while a second one flushes.

    Raises MeasurementError once when the disk refuses (full, quota): what is there stays and ends with a whole line,
    and every later line is counted in `dropped` instead of written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        """Lines accepted."""
        self.dropped = 0
        """Lines refused after the disk did."""
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        self._size = os.fstat(self._fd).st_size
        self._buffer = bytearray()
        self._held = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._failure: OSError | None = None
        self._raised = False
        self._flusher = threading.Thread(target=self._flush_often, name="event-log", daemon=True)
        self._flusher.start()

    def append(self, event: Line) -> None:
        """Take one event; MeasurementError the first time after the disk refused."""
        line = encode(event)
        with self._lock:
            if self._failure is not None:
                self.dropped += 1
            else:
                self._buffer += line
                self._held += 1
                self.written += 1
                if len(self._buffer) >= _CHUNK:
                    self._write_out()
        self._complain()

    def flush(self) -> None:
        """Hand everything to the kernel; MeasurementError the first time after the disk refused."""
        with self._lock:
            self._write_out()
        self._complain()

    def sync(self) -> None:
        """Flush and fsync: at the end of each step of the run."""
        with self._lock:
            self._write_out()
            if self._failure is None:
                try:
                    os.fsync(self._fd)
                except OSError as error:
                    self._failure = error
        self._complain()

    def close(self) -> None:
        """Flush, fsync, close; a second call does nothing."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._flusher.join()
        try:
            self.sync()
        finally:
            os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _flush_often(self) -> None:
        while not self._stop.wait(FLUSH_SECONDS):
            with self._lock:
                self._write_out()

    def _write_out(self) -> None:
        """Write the buffer. On refusal cut the file back to its last whole line; the caller holds the lock."""
        if not self._buffer or self._failure is not None:
            return
        data = memoryview(bytes(self._buffer))
        done = 0
        try:
            while done < len(data):
                done += os.write(self._fd, data[done:])
        except OSError as error:
            self._failure = error
            whole = bytes(data[:done]).rfind(b"\n") + 1
            kept = bytes(data[:whole]).count(b"\n")
            self.dropped += self._held - kept
            self.written -= self._held - kept
            os.ftruncate(self._fd, self._size + whole)
            self._size += whole
        else:
            self._size += done
        self._buffer.clear()
        self._held = 0

    def _complain(self) -> None:
        if self._failure is None or self._raised:
            return
        self._raised = True
        raise MeasurementError(
            f"{self.path}: {self._failure.strerror}; kept what was written before, the rest of the run is lost. "
            "Free space or choose another results folder"
        ) from self._failure


class EventReading:
    """One pass over an `events.jsonl`; `lost` counts, while and after iterating, the lines that could not be read."""

    def __init__(self, path: Path, written: int = FORMAT) -> None:
        """`written` is the format of the run folder."""
        self.path = path
        self._decode = decoder(written)
        self.lines = 0
        """Lines read so far, lost ones included."""
        self.lost = 0
        self.torn = False
        """The last line was cut off: the driver died while writing, or the packed file was not copied to its end."""

    def __iter__(self) -> Iterator[Line]:
        self.lines, self.lost, self.torn = 0, 0, False
        try:
            file = open_log(self.path)
        except FileNotFoundError as error:
            raise UsageError(f"{self.path}: there is no such file; a run folder has an events.jsonl") from error
        with file:
            for line in self._lines(file):
                if line.isspace():
                    continue
                self.lines += 1
                try:
                    event = self._decode(line)
                except msgspec.DecodeError:
                    self.lost += 1
                    self.torn = not line.endswith(b"\n")
                    continue
                yield event

    def _lines(self, file: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
        try:
            yield from file
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:  # packed, and cut off or damaged
            self.lines += 1
            self.lost += 1
            self.torn = isinstance(error, EOFError)


def decoder(written: int) -> Callable[[bytes], Line]:
    """What reads one line of a run folder of that format; msgspec.DecodeError when it is not whole or not known."""
    return format1.decode if written == 1 else decode


def open_log(path: Path) -> BinaryIO | gzip.GzipFile:
    """The log's bytes, unpacked when its name ends in `.gz`."""
    return gzip.GzipFile(path) if path.suffix == ".gz" else path.open("rb")


def read_events(path: Path, written: int = FORMAT) -> EventReading:
    """Read `path` line by line: a cut last line and lines of unknown kinds are skipped and counted, never fatal.

    A name that ends in `.gz` is read as gzip, for runs that were put away. UsageError, when iterated, if the file is
    missing.
    """
    return EventReading(path, written)
