"""Writes the page of variables: `python -m fleet.model.variable_page > docs/reference/variables.md`."""

from __future__ import annotations

import json
import sys
from typing import Any

from fleet.model.variables import SECTIONS

HEAD = """# Variables

Every variable that an inventory may set, with its default. Set them in `group_vars/all.yml` of your inventory, for one
machine in `host_vars`, or with `-e name=value` (`fleet up`, `ansible-playbook`). They are checked before anything is
changed, and `fleet.json` records what was in effect. Written from `fleet/model/variables.py`; do not edit this page.
"""


def page() -> str:
    """The whole page, in Markdown."""
    parts = [HEAD]
    for section in SECTIONS:
        lines = [f"## {section.__doc__}", "", "| variable | default | what |", "|---|---|---|"]
        for name, field in section.model_fields.items():
            lines.append(f"| `{name}` | {_default(field)} | {(field.description or '').replace('|', '&#124;')} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _default(field: Any) -> str:
    """As YAML would have it; one that depends on the user is reported in words."""
    if field.default_factory is not None:
        return "see text"
    value = field.default
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"`{json.dumps(list(value) if isinstance(value, tuple) else value)}`" if value != "" else "empty"


if __name__ == "__main__":
    sys.stdout.write(page())
