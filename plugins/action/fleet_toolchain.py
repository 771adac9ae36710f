"""Build or check the upstream programs on the controller; see the module of the same name for its documentation."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible.utils.display import Display

from fleet.action.controller import ControllerAction
from fleet.toolchain import BuildProgress, Toolchain, ToolchainMissing, ensure, locate, supplied
from fleet.toolchain.catalogue import load
from fleet.toolchain.console import describe, first

SECONDS_BETWEEN_LINES = 10.0
NOTHING: Mapping[str, Any] = {"root": "", "bin": "", "digest": "", "versions": {}}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "source": {"type": "path", "required": True},
    "cache": {"type": "path"},
    "manager": {"type": "str", "default": ""},
    "directory": {"type": "path"},
    "sha256": {"type": "dict", "default": {}},
}


class ActionModule(ControllerAction):
    """Runs here, never on a managed machine."""

    arguments = ARGUMENTS

    def outcome(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if given["directory"]:
            return _facts(supplied(Path(given["directory"]), given["sha256"]), changed=False)
        source, manager = Path(given["source"]), given["manager"]
        if manager and not load(source, manager).groups:
            return {**NOTHING, "changed": False}
        cache = Path(given["cache"]) if given["cache"] else None
        try:
            return _facts(locate(source, cache, manager), changed=False)
        except ToolchainMissing as missing:
            if self.checking:
                diff = {"before": "", "after": "toolchain built\n"}
                return {**NOTHING, "changed": True, "msg": str(missing), "diff": diff}
        made = ensure(source, cache, _lines(Display().display), manager)
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
