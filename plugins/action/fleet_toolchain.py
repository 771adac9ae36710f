"""Build or check the upstream programs on the controller; see the module of the same name for its documentation."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible.utils.display import Display

from fleet.action.controller import ControllerAction
from fleet.model.variables import Variables
from fleet.toolchain import BuildProgress, Toolchain, ToolchainMissing, ensure, locate, needs_of, supplied
from fleet.toolchain.console import describe, first

SECONDS_BETWEEN_LINES = 10.0
NOTHING: Mapping[str, Any] = {"parts": [], "digest": "", "versions": {}}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "source": {"type": "path", "required": True},
    "cache": {"type": "path"},
    "variables": {"type": "dict", "default": {}},
    "directory": {"type": "path"},
    "sha256": {"type": "dict", "default": {}},
}


class ActionModule(ControllerAction):
    """Runs here, never on a managed machine."""

    arguments = ARGUMENTS

    def outcome(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if given["directory"]:
            return _facts(supplied(Path(given["directory"]), given["sha256"]), changed=False)
        source = Path(given["source"])
        cache = Path(given["cache"]) if given["cache"] else None
        needs = needs_of(Variables.model_validate(given["variables"]))
        try:
            return _facts(locate(source, cache, needs), changed=False)
        except ToolchainMissing as missing:
            if self.checking:
                diff = {"before": "", "after": "toolchain built\n"}
                return {**NOTHING, "changed": True, "msg": str(missing), "diff": diff}
        made = ensure(source, cache, _lines(Display().display), needs)
        return _facts(made, changed=True)


def _facts(toolchain: Toolchain, *, changed: bool) -> dict[str, Any]:
    text = "".join(f"{part.root} {part.digest}\n" for part in toolchain.parts)
    return {
        "changed": changed,
        "parts": [
            {"name": part.name, "root": str(part.root), "bin": str(part.bin), "digest": part.digest}
            for part in toolchain.parts
        ],
        "digest": toolchain.digest,
        "versions": toolchain.versions,
        "diff": {"before": "" if changed else text, "after": text},
    }


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
