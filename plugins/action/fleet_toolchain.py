"""Build or check the upstream programs on the controller; see the module of the same name for its documentation."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from fleet.errors import FleetError
from fleet.toolchain import BuildProgress, Toolchain, ToolchainMissing, ensure, locate, supplied
from fleet.toolchain.console import describe, first

SECONDS_BETWEEN_LINES = 10.0


class ActionModule(ActionBase):
    """Runs here, never on a managed machine: the cache and the compiler are the controller's."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, arguments = self.validate_argument_spec(
            argument_spec={
                "source": {"type": "path", "required": True},
                "cache": {"type": "path"},
                "directory": {"type": "path"},
                "sha256": {"type": "dict", "default": {}},
            },
        )
        try:
            result.update(self._outcome(arguments))
        except FleetError as error:
            raise AnsibleActionFail(str(error)) from error
        return result

    def _outcome(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments["directory"]:
            return _facts(supplied(Path(arguments["directory"]), arguments["sha256"]), changed=False)
        source = Path(arguments["source"])
        cache = Path(arguments["cache"]) if arguments["cache"] else None
        try:
            return _facts(locate(source, cache), changed=False)
        except ToolchainMissing as missing:
            if self._task.check_mode:
                diff = {"before": "", "after": "toolchain built\n"}
                return {
                    "changed": True,
                    "msg": str(missing),
                    "root": "",
                    "bin": "",
                    "digest": "",
                    "versions": {},
                    "diff": diff,
                }
        made = ensure(source, cache, _lines(Display().display))
        return _facts(made, changed=True)


def _facts(toolchain: Toolchain, *, changed: bool) -> dict[str, Any]:
    text = f"{toolchain.root} {toolchain.digest}\n"
    return {
        "changed": changed,
        "root": str(toolchain.root),
        "bin": str(_bin(toolchain)),
        "digest": toolchain.digest,
        "versions": dict(toolchain.versions),
        "diff": {"before": "" if changed else text, "after": text},
    }


def _bin(toolchain: Toolchain) -> Path:
    """The folder of the programs; of one's own they may lie directly in the folder that was given."""
    return next((path.parent for path in toolchain.programs.values()), toolchain.root)


def _lines(display: Callable[[str], None]) -> Callable[[BuildProgress], None]:
    """A line at the start, at each group, and every ten seconds."""
    last, group = 0.0, ""

    def report(step: BuildProgress) -> None:
        nonlocal last, group
        now = time.monotonic()
        if not group:
            display(first(step))
        if step.group != group or now - last >= SECONDS_BETWEEN_LINES:
            display(describe(step))
            last, group = now, step.group

    return report
