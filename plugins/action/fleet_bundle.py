"""Make the archive that a machine of the fleet is sent; see the module of the same name for its documentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from fleet.action.controller import ControllerAction
from fleet.host.files import private_directory
from fleet.target.bundle import Bundle, Interpreter, python_bundle, toolchain_bundle
from fleet.toolchain.store import default_cache

ARGUMENTS: dict[str, dict[str, Any]] = {
    "kind": {"type": "str", "choices": ["python", "toolchain"], "required": True},
    "python": {"type": "dict", "default": {}},
    "group": {"type": "str", "default": ""},
    "programs": {"type": "path"},
    "crds": {"type": "path"},
    "digest": {"type": "str", "default": ""},
    "cache": {"type": "path"},
}


class ActionModule(ControllerAction):
    """Runs here, never on a managed machine."""

    arguments = ARGUMENTS

    def outcome(self, given: Mapping[str, Any]) -> dict[str, Any]:
        cache = Path(given["cache"]) if given["cache"] else default_cache()
        private_directory(cache / "bundles")
        # One process per machine asks at the same time: the first makes it, the others find it.
        with FileLock(cache / "bundles" / ".lock", mode=0o600):
            made = _made(given, cache)
        # The archive is a cache of what is already here: making it changes no machine.
        return {"changed": False, "archive": str(made.archive), "name": made.name}


def _made(given: Mapping[str, Any], cache: Path) -> Bundle:
    if given["kind"] == "toolchain":
        return toolchain_bundle(cache, given["group"], Path(given["programs"]), Path(given["crds"]), given["digest"])
    python = given["python"]
    return python_bundle(cache, Interpreter(python["python"], python["version"], python["machine"]))
