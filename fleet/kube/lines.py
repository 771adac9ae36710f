"""Splits a stream of chunks into lines without copying a long line again and again."""

from __future__ import annotations


class LineTooLongError(Exception):
    """A line passed the cap before its end came."""


class LineSplitter:
    """Feed it chunks, get whole lines without their newline; an unfinished line is kept for the next chunk."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._pending = 0

    @property
    def pending(self) -> int:
        """Bytes of the line that did not finish yet."""
        return self._pending

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that this chunk completes; LineTooLongError when one has more than `limit` bytes."""
        if b"\n" not in chunk:
            self._keep(chunk)
            return []
        lines = chunk.split(b"\n")
        rest = lines.pop()
        if self._parts:
            self._keep(lines[0])
            lines[0] = b"".join(self._parts)
            self._parts.clear()
            self._pending = 0
        if len(chunk) > self._limit and max(map(len, lines)) > self._limit:
            raise LineTooLongError
        if rest:
            self._keep(rest)
        return lines

    def _keep(self, part: bytes) -> None:
        self._pending += len(part)
        if self._pending > self._limit:
            raise LineTooLongError
        self._parts.append(part)
