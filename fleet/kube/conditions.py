"""Conditions in the status of any object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def condition(obj: Mapping[str, Any], kind: str, value: str = "True") -> bool:
    """Whether the object's status has that condition with that value."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return any(c.get("type") == kind and c.get("status") == value for c in conditions)
