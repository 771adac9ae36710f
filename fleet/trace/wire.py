"""The protobuf wire format, as far as stored Pods need it: fields by number, without their meaning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

Value = int | bytes
Fields = Mapping[int, list[Value]]

_MOST_SHIFT, _MORE = 63, 0x80
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def fields(data: bytes) -> Fields:
    """All values of each field of a message, in their order. ValueError for what is no message."""
    found: defaultdict[int, list[Value]] = defaultdict(list)
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            found[tag >> 3].append(value)
            continue
        size, at = _varint(data, at) if kind == _BYTES else ({_FIXED64: 8, _FIXED32: 4}.get(kind, -1), at)
        if size < 0 or at + size > len(data):
            raise ValueError(f"a field of kind {kind} reaches beyond the end")
        found[tag >> 3].append(data[at : at + size])
        at += size
    return found


def message(found: Fields, number: int) -> Fields:
    """The last value of a field that is a message; empty when there is none."""
    return next(iter(messages(found, number)[-1:]), {})


def messages(found: Fields, number: int) -> list[Fields]:
    """All values of a repeated field of messages."""
    return [fields(value) for value in found.get(number, ()) if isinstance(value, bytes)]


def text(found: Fields, number: int) -> str:
    """The last value of a field of text; empty when there is none."""
    values = [value for value in found.get(number, ()) if isinstance(value, bytes)]
    return values[-1].decode("utf-8", "replace") if values else ""


def whole(found: Fields, number: int) -> int | None:
    """The last value of a whole number, as a signed one; None when there is none."""
    values = [value for value in found.get(number, ()) if isinstance(value, int)]
    if not values:
        return None
    return values[-1] - (1 << 64) if values[-1] >> 63 else values[-1]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > _MOST_SHIFT:
            raise ValueError("a number reaches beyond the end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & _MORE:
            return value, at
        shift += 7
