"""Make the archive that a machine of the fleet is sent; see the module of the same name for its documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from filelock import FileLock

from fleet.errors import FleetError
from fleet.host.files import private_directory
from fleet.target.bundle import Bundle, Interpreter, python_bundle, toolchain_bundle
from fleet.toolchain.store import default_cache


class ActionModule(ActionBase):
    """Runs here, never on a managed machine."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, given = self.validate_argument_spec(
            argument_spec={
                "kind": {"type": "str", "choices": ["python", "toolchain"], "required": True},
                "python": {"type": "dict", "default": {}},
                "programs": {"type": "path"},
                "crds": {"type": "path"},
                "digest": {"type": "str", "default": ""},
                "cache": {"type": "path"},
            },
        )
        cache = Path(given["cache"]) if given["cache"] else default_cache()
        try:
            private_directory(cache / "bundles")
            # One process per machine asks at the same time: the first makes it, the others find it.
            with FileLock(cache / "bundles" / ".lock", mode=0o600):
                made = _made(given, cache)
        except FleetError as error:
            raise AnsibleActionFail(str(error)) from error
        # The archive is a cache of what is already here: making it changes no machine.
        return {**result, "changed": False, "archive": str(made.archive), "name": made.name}


def _made(given: dict[str, Any], cache: Path) -> Bundle:
    if given["kind"] == "toolchain":
        return toolchain_bundle(cache, Path(given["programs"]), Path(given["crds"]), given["digest"])
    python = given["python"]
    return python_bundle(cache, Interpreter(python["python"], python["version"], python["machine"]))
