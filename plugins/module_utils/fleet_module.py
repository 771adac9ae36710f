"""What every module of the testbed does alike: guard its imports of `fleet`, run, and report errors and changes."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Protocol

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

LIBRARY = "kubestellar-fleet-testbed"
FLAGS = {"type": "list", "elements": "str", "default": []}
ENV = {"type": "dict", "default": {}}
MACHINE = {
    "fleet": {"type": "str", "required": True},
    "state_dir": {"type": "path", "required": True},
    "toolchain_dirs": {"type": "list", "elements": "path", "required": True},
}
"""Arguments of a module that runs upstream's programs on a machine of the fleet."""
NODES = {
    "wec_nodes": {"type": "int", "default": 1},
    "simulator": {"type": "str", "default": "none"},
    "hollow_nodes": {"type": "int", "default": 0},
    "hollow_per_process": {"type": "int", "default": 250},
    "hollow_placement": {"type": "str", "choices": ["process", "pods"], "default": "process"},
    "hollow_address": {"type": "str", "default": ""},
}
"""Arguments of a module that is given the nodes of WECs."""


class Change(Protocol):
    """What a convergence of `fleet` returns."""

    @property
    def changed(self) -> bool: ...

    def text(self) -> tuple[str, str]:
        """The state before and after."""


class Imports:
    """A `with` block for imports: one that fails is reported when the module runs."""

    def __init__(self) -> None:
        self.failure = ""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, ImportError):
            self.failure = traceback.format_exc()
        return isinstance(error, ImportError)


def outcome(change: Change, **more: Any) -> dict[str, Any]:
    """A change as Ansible wants to know it, and what else the module returns."""
    before, after = change.text()
    return {"changed": change.changed, "diff": {"before": before, "after": after}} | more


def serve(arguments: Mapping[str, Any], imports: Imports, run: Callable[[AnsibleModule], Mapping[str, Any]]) -> None:
    """The whole of a module: `run` returns what Ansible gets; an error of `fleet` is the task's failure."""
    module = AnsibleModule(argument_spec=dict(arguments), supports_check_mode=True)
    if imports.failure:
        module.fail_json(msg=missing_required_lib(LIBRARY), exception=imports.failure)
    from fleet.errors import FleetError  # noqa: PLC0415 -- may be missing, which was reported above

    os.umask(0o077)
    try:
        result = run(module)
    except FleetError as error:
        module.fail_json(msg=str(error), error=type(error).__name__)
    else:
        module.exit_json(**result)
