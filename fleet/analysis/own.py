"""A module of a package that is found by a name in run.json: of a manager, or of an experiment."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

_NAME = re.compile(r"[a-z][a-z0-9_-]*")


def own_module(packages: str, owner: str, name: str) -> ModuleType | None:
    """The module `name` of the package of `owner` below `packages` (`-` of its name is `_` there).

    None where there is none: a run may name anything, and is analysed without it.
    """
    if not _NAME.fullmatch(owner):
        return None
    package = f"{packages}.{owner.replace('-', '_')}"
    found = find_spec(package)
    if found is None or found.submodule_search_locations is None:
        return None
    full = f"{package}.{name}"
    return import_module(full) if find_spec(full) is not None else None
