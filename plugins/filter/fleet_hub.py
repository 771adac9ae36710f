"""Filter of the inventory: the control planes of the hub that the fleet's manager wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleFilterError


def fleet_hub_planes(variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of checked variables: what each is, as `fleet.managers.installer.HubPlane`."""
    from fleet.errors import UsageError
    from fleet.managers.installer import installer
    from fleet.model.variables import Variables

    found = Variables.model_validate(dict(variables))
    try:
        return [asdict(plane) for plane in installer(found.manager).planes(found)]
    except UsageError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """By name."""
        return {"fleet_hub_planes": fleet_hub_planes}
