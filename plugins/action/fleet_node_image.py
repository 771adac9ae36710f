"""Build or find the image of kind nodes on the controller; documented in the module of the same name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.utils.display import Display

from fleet.action.controller import ControllerAction
from fleet.errors import FleetError
from fleet.node_image import NodeImage, ensure, find, published
from fleet.toolchain import locate, supplied

ARGUMENTS: dict[str, dict[str, Any]] = {
    "source": {"type": "path", "required": True},
    "toolchain_source": {"type": "path", "required": True},
    "directory": {"type": "path"},
    "sha256": {"type": "dict", "default": {}},
    "image": {"type": "str", "default": ""},
    "mirror": {"type": "str", "default": ""},
}


class ActionModule(ControllerAction):
    """Runs here, never on a managed machine."""

    arguments = ARGUMENTS

    def outcome(self, given: Mapping[str, Any]) -> dict[str, Any]:
        wanted = given["image"]
        if wanted:
            return _facts(published() if wanted == "published" else published(wanted), changed=False)
        directory, source = given["directory"], Path(given["source"])
        if self.checking:
            return self._checked(given)
        programs = supplied(Path(directory), given["sha256"]) if directory else locate(Path(given["toolchain_source"]))
        found = find(source, programs)
        if found is not None:
            return _facts(found, changed=False)
        made = ensure(source, programs, Display().display, mirror=given["mirror"])
        return _facts(made, changed=True)

    def _checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Without a toolchain there is no image either, and both would be built."""
        try:
            found = find(Path(given["source"]), locate(Path(given["toolchain_source"])))
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
