"""A fleet without a manager: no hub and no agents, so there is nothing to do."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.managers.installer import Installer
from fleet.model.variable_rules import Problem
from fleet.model.variables import Variables


class NoManager(Installer):
    """As in Installer."""

    def problems(self, variables: Variables, machines: int) -> Iterator[Problem]:  # noqa: ARG002
        """As in Installer."""
        if variables.wan:
            yield Problem("wan", "a link leads to the hub, and this fleet has none: leave it out, or choose a manager")


INSTALLER = NoManager()
