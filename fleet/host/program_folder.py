"""A folder of upstream programs: what the drivers take them from on a machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import ToolchainError


@dataclass(frozen=True)
class ProgramFolder:
    """Programs by name in `folder`. With `check` a program may be missing: nothing will be run."""

    folder: Path
    check: bool = False

    def program(self, name: str) -> Path:
        """The executable of that name; ToolchainError when it is not there."""
        path = self.folder / name
        if not self.check and not os.access(path, os.X_OK):
            raise ToolchainError(
                f"{path} is no executable: build the toolchain, or set fleet_toolchain_dir to a folder"
                f" that holds {name}"
            )
        return path
