"""Upstream programs and CRDs in folders, as toolchains lay them out on a machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import ToolchainError
from fleet.host.program_folders import ProgramFolders


@dataclass(frozen=True)
class UpstreamFolders(ProgramFolders):
    """Programs by name in `folders`, `<plural>.yaml` in `crds` alongside each. With `check` a program may be
    missing."""

    @classmethod
    def of(cls, programs: Sequence[Path | str], *, check: bool) -> UpstreamFolders:
        """As a module is given them."""
        return cls(tuple(Path(folder) for folder in programs), check=check)

    def crd(self, name: str) -> Path:
        """The CustomResourceDefinition of that plural; ToolchainError when it is not there."""
        paths = [folder.parent / "crds" / f"{name}.yaml" for folder in self.folders]
        found = next((path for path in paths if path.is_file()), None)
        if found is None:
            where = ", ".join(map(str, paths)) or "no folder of upstream programs was given"
            raise ToolchainError(f"{where} is missing: build the toolchain, or name a folder that holds {name}.yaml")
        return found
