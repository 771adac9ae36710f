"""A filter of the inventory: what is wrong with a link, before anything is changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fleet.errors import UsageError
from fleet.model.link import link_of


def fleet_link_problem(wan: Any) -> str:
    """Variable, field and mend; empty when it is a link, or none."""
    try:
        link_of(wan)
    except UsageError as error:
        return str(error)
    return ""


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """By name."""
        return {"fleet_link_problem": fleet_link_problem}
