"""Upstream programs and CRDs in folders, as toolchains lay them out on a machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import ToolchainError


@dataclass(frozen=True)
class UpstreamFolder:
    """Programs by name in `programs`, `<plural>.yaml` in `crds`. With `check` a program may be missing."""

    programs: Path
    crds: Path
    check: bool = False

    def program(self, name: str) -> Path:
        """The executable of that name."""
        path = self.programs / name
        if not self.check and not os.access(path, os.X_OK):
            raise ToolchainError(f"{path} is no executable: build the toolchain, or name a folder that holds {name}")
        return path

    def crd(self, name: str) -> Path:
        """The CustomResourceDefinition of that plural."""
        path = self.crds / f"{name}.yaml"
        if not path.is_file():
            raise ToolchainError(f"{path} is missing: build the toolchain, or name a folder that holds {name}.yaml")
        return path


@dataclass(frozen=True)
class UpstreamFolders:
    """Several of them; the first that has a name gives it."""

    folders: tuple[UpstreamFolder, ...]

    @classmethod
    def of(cls, programs: Sequence[Path], *, check: bool) -> UpstreamFolders:
        """Folders of programs, each with its CRDs in `crds` beside it; at least one is needed only by who asks."""
        return cls(tuple(UpstreamFolder(folder, folder.parent / "crds", check=check) for folder in programs))

    def program(self, name: str) -> Path:
        """The executable of that name."""
        return next((f for f in self.folders if (f.programs / name).exists()), self._any()).program(name)

    def crd(self, name: str) -> Path:
        """The CustomResourceDefinition of that plural."""
        return next((f for f in self.folders if (f.crds / f"{name}.yaml").exists()), self._any()).crd(name)

    def _any(self) -> UpstreamFolder:
        if not self.folders:
            raise ToolchainError("no folder of upstream programs was given: build the toolchain")
        return self.folders[0]
