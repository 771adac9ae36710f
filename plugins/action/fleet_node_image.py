"""Build or find the image of kind nodes on the controller; documented in the module of the same name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from fleet.errors import FleetError
from fleet.node_image import NodeImage, ensure, find, published
from fleet.toolchain import locate, supplied


class ActionModule(ActionBase):
    """Runs here, never on a managed machine: the cache and the compiler are the controller's."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, arguments = self.validate_argument_spec(
            argument_spec={
                "source": {"type": "path", "required": True},
                "toolchain_source": {"type": "path", "required": True},
                "directory": {"type": "path"},
                "sha256": {"type": "dict", "default": {}},
                "image": {"type": "str", "default": ""},
                "mirror": {"type": "str", "default": ""},
            },
        )
        try:
            result.update(self._outcome(arguments))
        except FleetError as error:
            raise AnsibleActionFail(str(error)) from error
        return result

    def _outcome(self, arguments: dict[str, Any]) -> dict[str, Any]:
        wanted = arguments["image"]
        if wanted:
            return _facts(published() if wanted == "published" else published(wanted), changed=False)
        directory, source = arguments["directory"], Path(arguments["source"])
        if self._task.check_mode:
            return self._checked(arguments)
        programs = (
            supplied(Path(directory), arguments["sha256"]) if directory else locate(Path(arguments["toolchain_source"]))
        )
        found = find(source, programs)
        if found is not None:
            return _facts(found, changed=False)
        made = ensure(source, programs, Display().display, mirror=arguments["mirror"])
        return _facts(made, changed=True)

    def _checked(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Without a toolchain there is no image either, and both would be built."""
        try:
            found = find(Path(arguments["source"]), locate(Path(arguments["toolchain_source"])))
        except FleetError:
            found = None
        return _facts(found or NodeImage("fleet/kind-node:not-built", None), changed=found is None)


def _facts(image: NodeImage, *, changed: bool) -> dict[str, Any]:
    after = f"{image.reference}\n"
    return {
        "changed": changed,
        "reference": image.reference,
        "archive": str(image.archive or ""),
        "diff": {"before": "" if changed else after, "after": after},
    }
