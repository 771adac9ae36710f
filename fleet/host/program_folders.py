"""Folders of upstream programs: what the drivers take them from on a machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import ToolchainError


@dataclass(frozen=True)
class ProgramFolders:
    """Programs by name; the first folder that has one gives it. With `check` it may be missing: nothing will be run."""

    folders: tuple[Path, ...]
    check: bool = False

    def program(self, name: str) -> Path:
        """The executable of that name; ToolchainError when it is not there."""
        paths = [folder / name for folder in self.folders]
        found = next((path for path in paths if os.access(path, os.X_OK)), None)
        if found is not None:
            return found
        if self.check:
            return paths[0] if paths else Path(name)
        where = ", ".join(str(folder) for folder in self.folders) or "no folder of upstream programs was given"
        raise ToolchainError(
            f"{where}: no executable {name}: build the toolchain, or set fleet_toolchain_dir to a folder that holds it"
        )
