"""The project's own files alongside the package: playbooks, roles, plugins, experiments, sources of the toolchain."""

from __future__ import annotations

from pathlib import Path

from fleet.errors import UsageError

MARK = "site.yml"
PACKAGE = Path(__file__).resolve().parents[1]
SHIPPED = PACKAGE / "checkout"
"""Where a wheel has them (`force-include` in pyproject.toml)."""
HOMES = (PACKAGE.parent, SHIPPED)


def checkout() -> Path:
    """The folder that holds site.yml: the current one, else the checkout of this package, else the wheel's."""
    candidates = (Path.cwd(), *HOMES)
    for folder in candidates:
        if (folder / MARK).is_file():
            return folder
    raise UsageError(f"there is no {MARK} in {candidates[0]}: run this command in a checkout of the project")
