"""Fields that several experiments sweep."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from fleet.managers.manager import Manager

Count = Annotated[int, Field(ge=1, le=10_000)]


def once(values: list[Any]) -> list[Any]:
    """As they are; ValueError for one that comes twice."""
    if len(set(values)) != len(values):
        raise ValueError("each value once")
    return values


def distinct(values: list[Any]) -> list[Any]:
    """Ascending; ValueError for one that comes twice."""
    return sorted(once(values))


def needs_policies(manager: Manager) -> str:
    """Why an experiment about policies cannot be done under that manager."""
    return "" if manager.roles() else "it is about policies, and without a manager there are none"
