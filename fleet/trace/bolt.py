"""Reads one bucket of a bbolt file (etcd's database, or a snapshot of it), without etcd and without writing.

Layout: go.etcd.io/bbolt v1.4, `internal/common/{page,meta,inode}.go`; all numbers are little-endian.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from fleet.errors import SpecError, UsageError

MAGIC, VERSION = 0xED0CDAED, 2
_BRANCH, _LEAF = 0x01, 0x02
_HEADER = struct.Struct("<QHHI")
"""Page: id, flags, count, overflow."""
_META = struct.Struct("<IIIIQQQQQQ")
"""magic, version, page size, flags, root bucket (page, sequence), freelist, high water mark, transaction, checksum."""
_BRANCH_ELEMENT = struct.Struct("<IIQ")
"""Position of the key from this element, its size, page."""
_LEAF_ELEMENT = struct.Struct("<IIII")
"""flags, position of the key from this element, its size, size of the value."""
_BUCKET = struct.Struct("<QQ")
"""A bucket as a value: root page (0: inline, its page follows), sequence."""
DEPTH_LIMIT = 32
_FNV_BASIS, _FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3


class Bolt:
    """An open file, for `with`."""

    def __init__(self, file: Path) -> None:
        """SpecError for a file that is no bbolt file."""
        self._file = file
        self._visited: set[int] = set()
        """Pages of one walk: a tree has none twice, so that pages which point at each other end it."""
        try:
            with file.open("rb") as stream:
                size = os.fstat(stream.fileno()).st_size
                if size < 2 * 4096:
                    raise SpecError("is too short for a bbolt file", file=file)
                self._data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
        try:
            self._page_size, self._root = self._newest()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Bolt:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """The file is open no more."""
        self._data.close()

    def items(self, bucket: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values of a bucket of the root, ascending; SpecError when there is none or a page is damaged."""
        self._visited.clear()
        for key, value, is_bucket in self._walk(self._root):
            if key == bucket and is_bucket:
                root, _ = self._unpack(_BUCKET, value, 0, "bucket")
                found = self._page(memoryview(value)[_BUCKET.size :], 0) if root == 0 else self._walk(root)
                for name, content, nested in found:
                    if not nested:
                        yield name, content
                return
        raise SpecError(f"has no bucket {bucket.decode()!r}: is it etcd's database?", file=self._file)

    def _newest(self) -> tuple[int, int]:
        """Page size and root page of the meta page with the higher transaction that is whole."""
        best = None
        sizes = (4096, 8192, 16384, 32768, 65536)
        for at in (0, *sizes):
            if at + _HEADER.size + _META.size > len(self._data):
                continue
            raw = self._data[at + _HEADER.size : at + _HEADER.size + _META.size]
            magic, version, size, _, root, _, _, _, transaction, checksum = _META.unpack(raw)
            if magic != MAGIC or version != VERSION or checksum != _fnv(raw[:-8]) or (at and at != size):
                continue
            if best is None or transaction > best[0]:
                best = (transaction, size, root)
        if best is None or best[1] not in sizes:
            raise SpecError("is no bbolt file, or neither of its two meta pages is whole", file=self._file)
        return best[1], best[2]

    def _walk(self, page: int, depth: int = 0) -> Iterator[tuple[bytes, bytes, bool]]:
        start = page * self._page_size
        if page in self._visited or depth > DEPTH_LIMIT or start + _HEADER.size > len(self._data):
            raise self._damaged(page)
        self._visited.add(page)
        number, _, _, overflow = _HEADER.unpack_from(self._data, start)
        end = start + (overflow + 1) * self._page_size
        if number != page or end > len(self._data):
            raise self._damaged(page)
        yield from self._page(memoryview(self._data)[start:end], page, depth)

    def _page(self, data: memoryview, page: int, depth: int = 0) -> Iterator[tuple[bytes, bytes, bool]]:
        with data:
            _, flags, count, _ = self._unpack(_HEADER, data, 0, str(page))
            if flags & _BRANCH:
                children = [
                    self._unpack(_BRANCH_ELEMENT, data, _HEADER.size + n * _BRANCH_ELEMENT.size, str(page))[2]
                    for n in range(count)
                ]
                for child in children:
                    yield from self._walk(child, depth + 1)
                return
            if not flags & _LEAF:
                raise self._damaged(page)
            for n in range(count):
                at = _HEADER.size + n * _LEAF_ELEMENT.size
                kind, position, key_size, value_size = self._unpack(_LEAF_ELEMENT, data, at, str(page))
                begin = at + position
                if begin + key_size + value_size > len(data):
                    raise self._damaged(page)
                middle = begin + key_size
                yield bytes(data[begin:middle]), bytes(data[middle : middle + value_size]), bool(kind & 1)

    def _unpack(self, form: struct.Struct, data: bytes | memoryview, at: int, page: str) -> tuple[int, ...]:
        if at + form.size > len(data):
            raise self._damaged(page)
        return form.unpack_from(data, at)

    def _damaged(self, page: int | str) -> SpecError:
        return SpecError(
            "is damaged or lies behind the end of the file: it is cut off", file=self._file, field=f"page {page}"
        )


def _fnv(data: bytes) -> int:
    """FNV-1a, 64 bits: bbolt's checksum of a meta page."""
    found = _FNV_BASIS
    for byte in data:
        found = (found ^ byte) * _FNV_PRIME & 0xFFFFFFFFFFFFFFFF
    return found
