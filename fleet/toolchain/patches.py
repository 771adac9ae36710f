"""Functions of ours in the place of upstream's: a patched copy of a module in the cache, and a go.mod that says so.

The repository has no text of upstream's: the program `toolchain/patch` renames a function in the copy and puts our file
alongside it. A copy is named by all that decides it, so it is made once, and builds after the first find it as it was.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fleet.errors import ToolchainError
from fleet.model.checksum import sha256_of
from fleet.toolchain import digest
from fleet.toolchain.build import ENVIRONMENT, Builder, Downloaded
from fleet.toolchain.catalogue import Group, Patch
from fleet.toolchain.digest import PATCH

MODULES = "modules"
"""Folder of the copies in the cache."""
LEFT_OUT = ("testdata", "vendor")
"""Folders that no build of another module reads."""
SECONDS = 120.0


@dataclass(frozen=True)
class Patching:
    """What patching one group needs."""

    go: Path
    source: Path
    """The folder `toolchain/`."""
    name: str
    """Of the group."""
    group: Group
    cache: Path

    def modfile(self) -> Path | None:
        """A go.mod for `go build -modfile`, in which each patched module is its copy; None when nothing is patched.

        ToolchainError names the module and the function that is not what the patch was written for.
        """
        if not self.group.patches:
            return None
        home = self.cache / MODULES
        home.mkdir(parents=True, exist_ok=True)
        replaced = {module: self._copy(home, module) for module in sorted({p.module for p in self.group.patches})}
        folder = self.source / self.name
        decides = [*map(str, replaced.values()), (folder / "go.mod").read_text(encoding="utf-8")]
        name = digest.of_text("\n".join(decides))[:16]
        file = home / f"{self.name}-{name}.mod"
        _write(file.with_suffix(".sum"), (folder / "go.sum").read_bytes())
        if not file.exists():
            fresh = file.with_suffix(".new")
            shutil.copyfile(folder / "go.mod", fresh)
            Builder(self.go, folder).replace(fresh, replaced)
            fresh.rename(file)
        return file

    def _copy(self, home: Path, module: str) -> Path:
        patches = [patch for patch in self.group.patches if patch.module == module]
        upstream = Builder(self.go, self.source / self.name).download(module)
        place = home / f"{module.replace('/', '_')}-{self._digest(upstream, patches)[:16]}"
        if place.exists():
            return place
        partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=home))
        try:
            _copy_sources(upstream.folder, partial)
            self._apply(upstream, partial, patches)
            partial.rename(place)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return place

    def _digest(self, upstream: Downloaded, patches: Iterable[Patch]) -> str:
        parts = [upstream.named, upstream.sum, digest.of_sources(self.source / PATCH)]
        for patch in patches:
            ours = self._ours(patch)
            parts += [msgspec.json.encode(patch.model_dump(), order="deterministic").decode(), sha256_of(ours)]
        return digest.of_text("\n".join(parts))

    def _ours(self, patch: Patch) -> Path:
        file = self.source / self.name / patch.ours
        if not file.is_file():
            raise ToolchainError(f"versions.yaml: {self.name}: patches: {patch.function}: there is no {file}")
        return file

    def _apply(self, upstream: Downloaded, copy: Path, patches: Iterable[Patch]) -> None:
        order = {
            "module": upstream.named,
            "folder": str(copy),
            "patches": [
                {"file": p.file, "function": p.function, "sha256": p.sha256, "ours": str(self._ours(p))}
                for p in patches
            ],
        }
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / PATCH
            builder = Builder(self.go, self.source / PATCH)
            builder.program(program)
            done = subprocess.run(
                [str(program)],
                input=msgspec.json.encode(order),
                capture_output=True,
                timeout=SECONDS,
                check=False,
                env={**os.environ, **ENVIRONMENT},
            )
        if done.returncode != 0:
            raise ToolchainError(f"{self.name}: {done.stderr.decode(errors='replace').strip()}")


def _copy_sources(module: Path, into: Path) -> None:
    """All that a build reads; new files, for those of the module cache are read-only."""
    for folder, inner, files in os.walk(module):
        inner[:] = [name for name in inner if name not in LEFT_OUT]
        target = into / Path(folder).relative_to(module)
        target.mkdir(exist_ok=True)
        for name in files:
            if not name.endswith(digest.TEST):
                shutil.copyfile(Path(folder) / name, target / name)


def _write(file: Path, content: bytes) -> None:
    """At once, and only when it differs: a build may be reading it."""
    if file.exists() and file.read_bytes() == content:
        return
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_bytes(content)
    fresh.rename(file)
