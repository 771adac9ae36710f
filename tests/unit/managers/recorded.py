"""Objects as a real manager wrote them, recorded in a run on dense WECs; managedFields are left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "golden" / "managers" / "objects"


def recorded(name: str) -> dict[str, Any]:
    """A fresh copy of one of them, `<manager>-<plural>`."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found
