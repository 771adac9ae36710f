"""Makes small profiles in the published format: what a Go program would serve for given stacks."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence

Stacks = Mapping[tuple[str, ...], Sequence[int]]
"""Functions from the leaf to the root -> a value per sample type."""


def varint(value: int) -> bytes:
    out = bytearray()
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def message(field: int, body: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(body)) + body


def made(types: Sequence[tuple[str, str]], stacks: Stacks, *, seconds: float = 0.0) -> bytes:
    """A gzip'd profile; every function has one location, ids count from 1."""
    texts = [""]

    def text(value: str) -> int:
        if value not in texts:
            texts.append(value)
        return texts.index(value)

    names = sorted({name for stack in stacks for name in stack})
    identity = {name: index for index, name in enumerate(names, start=1)}
    out = b"".join(message(1, number(1, text(kind)) + number(2, text(unit))) for kind, unit in types)
    for stack, values in stacks.items():
        body = b"".join(number(1, identity[name]) for name in stack) + b"".join(number(2, value) for value in values)
        out += message(2, body)
    for name, index in identity.items():
        out += message(4, number(1, index) + message(4, number(1, index)))
        out += message(5, number(1, index) + number(2, text(name)))
    out += b"".join(message(6, entry.encode()) for entry in texts)
    out += number(10, round(seconds * 1e9))
    return gzip.compress(out, mtime=0)


def heap(**live: int) -> bytes:
    """A heap whose functions, called by main.main, hold that many bytes."""
    types = [("alloc_space", "bytes"), ("inuse_space", "bytes")]
    return made(types, {(name, "main.main"): (2 * size, size) for name, size in live.items()})


def cpu(**spent: int) -> bytes:
    """A CPU profile of one second whose functions spent that many nanoseconds."""
    types = [("samples", "count"), ("cpu", "nanoseconds")]
    return made(types, {(name, "main.main"): (spend // 10_000_000, spend) for name, spend in spent.items()}, seconds=1)
