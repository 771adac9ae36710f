"""Build the groups that are missing, under a lock, into a folder renamed at the end: a killed build leaves nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

import msgspec
from filelock import FileLock

from fleet.errors import ToolchainError
from fleet.toolchain import catalogue, digest, golang, reuse
from fleet.toolchain.build import Builder
from fleet.toolchain.catalogue import Catalogue, Group
from fleet.toolchain.patches import Patching
from fleet.toolchain.progress import BuildProgress, Report
from fleet.toolchain.store import (
    FORMAT,
    MANIFEST,
    Manifest,
    Toolchain,
    ToolchainMissing,
    default_cache,
    locate,
    open_checked,
    place,
)

PARTIAL = ".partial-"


def ensure(source: Path, cache: Path | None, progress: Report, manager: str = "") -> Toolchain:
    """The toolchain of the folder `source`, built when it is missing; `progress` hears only of a build.

    With `manager` that of the programs which only a fleet with it has. ToolchainError names the module that cannot be
    had, or the file whose sha256 is wrong.
    """
    cache = cache or default_cache()
    try:
        found = locate(source, cache, manager)
    except ToolchainMissing:
        home = cache / "toolchain"
        home.mkdir(parents=True, exist_ok=True)
    else:
        if not (found.root / reuse.FILE).exists():  # built before groups were written down
            known = catalogue.load(source, manager)
            reuse.record(found.root, reuse.digests(source, known, golang.find(cache, known.go_wheel)))
        return found
    with FileLock(home / ".lock"):
        try:  # another builder may have been first
            return locate(source, cache, manager)
        except ToolchainMissing:
            return _Build(source, cache, progress, manager).run()


class _Build:
    """One build, begun at its making."""

    def __init__(self, source: Path, cache: Path, progress: Report, manager: str) -> None:
        self._source = source
        self._cache = cache
        self._progress = progress
        self._began = time.monotonic()
        self._catalogue: Catalogue = catalogue.load(source, manager)
        self._go = golang.find(cache, self._catalogue.go_wheel)
        self._digest = digest.of_source(source, self._go, manager)
        self._root = place(cache, self._digest)
        self._groups = reuse.digests(source, self._catalogue, self._go)
        self._estimate = float(self._catalogue.seconds)
        self._done = 0.0

    def run(self) -> Toolchain:
        for stale in self._root.parent.glob(f"{PARTIAL}*"):  # the lock is ours: its builder is dead
            shutil.rmtree(stale, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=self._root.parent))
        try:
            (partial / "bin").mkdir()
            (partial / "crds").mkdir()
            missing = {name: group for name, group in self._catalogue.groups.items() if not self._reused(name, partial)}
            self._estimate = float(sum(group.seconds for group in missing.values()))
            self._report("Go", 0.0)
            if missing:
                go = self._compiler()
                for name, group in missing.items():
                    self._group(go, name, group, partial)
                self._definitions(go, missing, partial / "crds")
            self._report("CRDs", 0.0)
            self._seal(partial)
            partial.rename(self._root)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return open_checked(self._root)

    def _reused(self, name: str, partial: Path) -> bool:
        found = reuse.donor(self._root.parent, name, self._groups[name])
        return found is not None and reuse.take(found, name, self._catalogue, partial)

    def _compiler(self) -> Path:
        go = self._go if self._go.program else golang.install(self._cache, self._catalogue.go_wheel)
        if go.program is None:
            raise ToolchainError("no Go to build with")
        return go.program

    def _group(self, go: Path, name: str, group: Group, partial: Path) -> None:
        self._report(name, 0.0)
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
        self._done += group.seconds
        self._report(name, 0.0)

    def _definitions(self, go: Path, groups: Collection[str], out: Path) -> None:
        self._report("CRDs", 0.0)
        for plural, crd in self._catalogue.crds.items():
            if crd.group not in groups:
                continue
            file = Builder(go, self._source / crd.group).module_folder(crd.module) / crd.path
            try:
                (out / f"{plural}.yaml").write_bytes(file.read_bytes())
            except OSError as error:
                raise ToolchainError(f"versions.yaml: crds.{plural}: {crd.module} has no {crd.path}") from error

    def _seal(self, partial: Path) -> None:
        files = sorted(path for folder in ("bin", "crds") for path in (partial / folder).iterdir())
        manifest = Manifest(
            FORMAT,
            self._digest,
            self._go.version,
            self._catalogue.versions,
            {path.relative_to(partial).as_posix(): digest.of_file(path) for path in files},
        )
        reuse.record(partial, self._groups)
        (partial / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")

    def _report(self, group: str, seconds: float) -> None:
        elapsed = time.monotonic() - self._began
        fraction = (self._done + seconds) / self._estimate if self._estimate else 1.0
        self._progress(BuildProgress(group, fraction, elapsed, self._estimate, self._root))
