"""Upstream programs and CRDs in two folders, as a toolchain lays them out on a machine."""

from __future__ import annotations

import os
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
