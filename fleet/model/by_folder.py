"""Things that come in kinds, one package for each: found by their folder, so that to write one is to register it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from fleet.errors import UsageError


@dataclass(frozen=True)
class ByFolder:
    """The packages of `parent` that have a module `module`, whose `constant` is what each is."""

    parent: str
    """Dotted, such as `fleet.managers`."""
    module: str
    constant: str
    variable: str
    """The inventory variable that names one: what an error is about."""

    def names(self) -> list[str]:
        """All of them, sorted; `-` where the folder has `_`, which a Python package needs."""
        folders = import_module(self.parent).__path__
        places = (Path(folder) / entry.name for folder in folders for entry in iter_modules([folder]))
        return sorted(place.name.replace("_", "-") for place in places if (place / f"{self.module}.py").exists())

    def load(self, name: str) -> Any:
        """The one of that name; UsageError naming the variable when there is none."""
        known = self.names()
        if name not in known:
            raise UsageError(f"{self.variable}: {name!r} is not one of {', '.join(known)}")
        return getattr(import_module(f"{self.parent}.{name.replace('-', '_')}.{self.module}"), self.constant)
