"""The frame of an action that runs on the controller: its arguments checked, our errors become the task's failure."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from fleet.errors import FleetError


class ControllerAction(ActionBase):  # type: ignore[misc] # ansible-core has no types
    """Runs here, never on a managed machine: cache and compiler are the controller's.

    An action names its `arguments` as a module does (an argument spec), and gives its result from `outcome`.
    """

    TRANSFERS_FILES = False
    _supports_check_mode = True
    arguments: ClassVar[Mapping[str, Mapping[str, Any]]]

    @abstractmethod
    def outcome(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the task returns, `changed` in it. FleetError is the task's failure, in its own words."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """As Ansible calls it."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, given = self.validate_argument_spec(argument_spec=dict(self.arguments))
        try:
            return {**result, **self.outcome(given)}
        except FleetError as error:
            raise AnsibleActionFail(str(error)) from error

    @property
    def checking(self) -> bool:
        """Whether nothing may be changed."""
        return bool(self._task.check_mode)
