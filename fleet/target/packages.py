"""The Python packages that a machine of the fleet needs, as they are installed here: names, versions, files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from fleet.errors import FleetError

ROOTS = (
    "aiohttp",
    "cryptography",
    "filelock",
    "msgspec",
    "orjson",
    "platformdirs",
    "prometheus-client",
    "psutil",
    "pydantic",
    "pyyaml",
    "supervisor",
    "uvloop",
)
"""What `fleet.host`, `fleet.managers` and `fleet.kube` import: a machine draws no figures."""


@dataclass(frozen=True)
class Package:
    """One installed distribution."""

    name: str
    version: str
    files: tuple[tuple[Path, str], ...]
    """Each file here, and its path below site-packages."""


def needed(roots: tuple[str, ...] = ROOTS) -> list[Package]:
    """The roots and all that they need, by name. FleetError names one that is not installed here."""
    found: dict[str, Package] = {}
    waiting = list(roots)
    while waiting:
        name = _canonical(waiting.pop())
        if name in found:
            continue
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError as error:
            raise FleetError(f"the Python package {name} is not installed here: run `make env` again") from error
        found[name] = Package(name, distribution.version, _files(distribution))
        for text in distribution.requires or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return [found[name] for name in sorted(found)]


def _files(distribution: metadata.Distribution) -> tuple[tuple[Path, str], ...]:
    """Everything below site-packages but compiled caches; scripts lie elsewhere and name this Python."""
    found = []
    for file in distribution.files or []:
        if file.is_absolute() or ".." in file.parts or "__pycache__" in file.parts:
            continue
        path = Path(str(distribution.locate_file(file)))
        if path.is_file():
            found.append((path, file.as_posix()))
    return tuple(sorted(found, key=lambda entry: entry[1]))


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
