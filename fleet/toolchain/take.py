"""`fleet toolchain use`: the groups of an archive put into the cache, when every byte of it is what it should be.

Everything is checked in a folder of its own, which is renamed at the end: a refused archive leaves nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock

from fleet.errors import FleetError, ToolchainError, UsageError
from fleet.model.checksum import sha256_of
from fleet.toolchain import archive, catalogue, digest, golang, store
from fleet.toolchain.archive import Packed
from fleet.toolchain.ensure import PARTIAL

SHA256 = re.compile(r"[0-9a-fA-F]{64}")
URL = re.compile(r"https?://")
SECONDS = 60.0
"""Without a byte, until a download is given up."""
CHUNK = 1 << 20


@dataclass(frozen=True)
class Taken:
    """What came of an archive."""

    roots: tuple[Path, ...]
    """Folders of the groups that this checkout can use."""
    others: tuple[str, ...]
    """Groups that were built from other sources than this checkout's, left out."""


def use(source: Path, cache: Path, given: str, sha256: str) -> Taken:
    """Put the groups of an archive (a file or a URL) into the cache.

    UsageError, and nothing has changed, when its sha256 is another, it is for another platform or wholly of other
    sources, or a member is not what its manifest says. FleetError when the download fails.
    """
    if not SHA256.fullmatch(sha256):
        raise UsageError(f"--sha256 {sha256}: not 64 hex digits; `fleet toolchain pack` prints them")
    if not URL.match(given) and not Path(given).is_file():
        raise UsageError(f"{given}: there is no such file")
    home = cache / "toolchain"
    created = [folder for folder in (cache, home) if not folder.exists()]
    home.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(home / ".lock"), _scratch(home) as scratch:
            file = _fetched(given, scratch) if URL.match(given) else Path(given)
            _check_hash(file, given, sha256.lower())
            return _Unpacking(source, cache, file, given, scratch).run()
    except FleetError:
        if home in created:
            (home / ".lock").unlink(missing_ok=True)
        for folder in reversed(created):
            folder.rmdir()
        raise


@contextmanager
def _scratch(home: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=home))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fetched(url: str, scratch: Path) -> Path:
    file = scratch / "archive"
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer, file.open("wb") as out:  # noqa: S310 -- http(s): URL
            shutil.copyfileobj(answer, out, CHUNK)
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise FleetError(f"{url}: cannot be downloaded: {reason}") from error
    return file


def _check_hash(file: Path, given: str, sha256: str) -> None:
    found = sha256_of(file)
    if found != sha256:
        raise UsageError(f"{given}: sha256 is {found}, --sha256 says {sha256}: do not use this archive")


class _Unpacking:
    """One archive, whose hash is right, on its way into the cache. The lock is held."""

    def __init__(self, source: Path, cache: Path, file: Path, given: str, scratch: Path) -> None:
        self._source = source
        self._cache = cache
        self._file = file
        self._given = given
        self._new = scratch / "new"

    def run(self) -> Taken:
        try:
            with tarfile.open(self._file, "r:gz") as tar:
                packed = self._manifest(tar)
                mine = self._mine(packed)
                self._members(tar, packed)
        except (tarfile.TarError, EOFError, OSError) as error:
            raise self._refusal(f"cannot be read: {error}") from error
        try:
            for name in mine:
                store.open_checked(name, self._new / packed.groups[name].folder)
        except ToolchainError as error:
            raise self._refusal(str(error)) from error
        roots = []
        for name in mine:
            root = self._cache / "toolchain" / packed.groups[name].folder
            if not root.exists():
                (self._new / root.name).rename(root)
            roots.append(root)
        store.remember(self._cache, {packed.groups[name].go for name in mine})
        return Taken(tuple(roots), tuple(name for name in packed.groups if name not in mine))

    def _refusal(self, why: str) -> UsageError:
        return UsageError(f"{self._given}: {why}: do not use this archive")

    def _manifest(self, tar: tarfile.TarFile) -> Packed:
        first = tar.next()
        if first is None or first.name != archive.MANIFEST or not first.isreg():
            raise self._refusal(f"its first member is not {archive.MANIFEST}")
        if first.size > archive.LARGEST_MANIFEST:
            raise self._refusal(f"{archive.MANIFEST} has {first.size} bytes")
        return archive.decode(self._stream(tar, first).read(), self._given)

    def _mine(self, packed: Packed) -> list[str]:
        """The groups that this checkout would build from the same sources, were its Go the same."""
        whole = catalogue.every(self._source)
        mine = []
        for name, group in packed.groups.items():
            if name not in whole.groups:
                continue
            one = catalogue.named(self._source, [name])
            go = replace(golang.find(self._cache, whole.go_wheel), version=group.go)
            wanted = digest.of_groups(self._source, one, go)[name]
            if wanted == group.digest and group.folder == store.place(self._cache, name, wanted).name:
                mine.append(name)
        if not mine:
            raise UsageError(
                f"{self._given}: {', '.join(packed.groups)}: built from other sources than {self._source}: take the "
                "archive of this release, or run `fleet toolchain build`"
            )
        return mine

    def _members(self, tar: tarfile.TarFile, packed: Packed) -> None:
        """Write below a new folder what the manifest names, and nothing else; never through a link."""
        seen: set[str] = set()
        while (member := tar.next()) is not None:
            name = member.name
            if name not in packed.files or name in seen or not _inside(name, packed):
                raise self._refusal(f"unexpected member {name!r}")
            target = self._new / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if member.islnk() and member.linkname in seen:
                os.link(self._new / member.linkname, target)
                found = packed.files[member.linkname]
            elif member.isreg():
                found = _write(self._stream(tar, member), target)
                target.chmod(0o755 if name.split("/")[1] == "bin" else 0o644)
            else:
                raise self._refusal(f"{name!r} is neither a file nor a link to one before it")
            if found != packed.files[name]:
                raise self._refusal(f"{name}: sha256 is {found}, {archive.MANIFEST} says {packed.files[name]}")
            seen.add(name)
        missing = packed.files.keys() - seen
        if missing:
            raise self._refusal(f"{min(missing)} is missing")

    def _stream(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO:
        stream = tar.extractfile(member)
        if stream is None:
            raise self._refusal(f"{member.name!r} has no content")
        return stream  # type: ignore[return-value]


def _inside(name: str, packed: Packed) -> bool:
    """Whether a path stays in the folder of one group."""
    parts = name.split("/")
    return (
        parts[0] in {group.folder for group in packed.groups.values()}
        and len(parts) > 1
        and not {"", ".", ".."} & {*parts}
    )


def _write(stream: BinaryIO, target: Path) -> str:
    """Hex sha256 of what was written."""
    written = hashlib.sha256()
    with target.open("xb") as out:
        while chunk := stream.read(CHUNK):
            written.update(chunk)
            out.write(chunk)
    return written.hexdigest()
