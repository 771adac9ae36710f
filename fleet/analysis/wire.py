"""Protocol buffers on the wire: fields of a message, one after another, nothing known about their meaning."""

from __future__ import annotations

from collections.abc import Iterator

Field = tuple[int, int | bytes]
"""Number, and the value: an integer, or the bytes of a string, a message or a packed list."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST = 70
"""Bits that a varint may have before it is taken for damage: ten bytes of seven."""


def fields(data: bytes) -> Iterator[Field]:
    """Every field of a message. ValueError when it is cut off or damaged."""
    at, end = 0, len(data)
    while at < end:
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise ValueError("field number 0")
        if kind == _VARINT:
            value, at = varint(data, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = varint(data, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {kind} at byte {at}")
        if at + size > end:
            raise ValueError(f"cut off: {size} bytes wanted at byte {at} of {end}")
        chunk = data[at : at + size]
        at += size
        yield number, chunk if kind == _BYTES else int.from_bytes(chunk, "little")


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The unsigned number that begins at byte `at`, and the byte behind it."""
    value = shift = 0
    while True:
        if at >= len(data):
            raise ValueError(f"cut off inside a number at byte {at}")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the highest bit says that more follow
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
        if shift >= _LONGEST:
            raise ValueError(f"a number of more than ten bytes at byte {at}")


def signed(value: int) -> int:
    """An int64 of its two's complement."""
    return value - (1 << 64) if value >= 1 << 63 else value


def numbers(value: int | bytes) -> Iterator[int]:
    """Unsigned numbers of one field of a repeated number: packed or single."""
    if isinstance(value, int):
        yield value
        return
    at = 0
    while at < len(value):
        number, at = varint(value, at)
        yield number
