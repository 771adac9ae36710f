"""Conditions in the status of any object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def condition_of(obj: Mapping[str, Any], kind: str) -> str:
    """Value of that condition of the object's status: True, False or Unknown; empty where it has none."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((str(one.get("status", "")) for one in conditions if one.get("type") == kind), "")


def condition(obj: Mapping[str, Any], kind: str) -> bool:
    """Whether that condition of the object's status is True."""
    return condition_of(obj, kind) == "True"
