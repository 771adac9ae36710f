"""Gives every inventory the defaults of the variables, and every machine of a fleet what follows from them."""

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet_variables
short_description: Defaults of the variables, and what follows from them
description:
  - The defaults of C(fleet.model.variables) for the group C(all), below everything that an inventory says.
  - For each machine in C(fleet_hosts) the values that follow from its variables (C(derived.yml) alongside this file).
author: ["The maintainers (@kubestellar)"]
options:
  stage:
    description: When it runs. Once, after the inventory was read, so that what an inventory says wins.
    type: str
    choices: [inventory]
    default: inventory
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.inventory.host import Host
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.vars import BaseVarsPlugin
from ansible.template import trust_as_template

from fleet.model.variables import defaults, limits

DERIVED = Path(__file__).with_name("derived.yml")
FLEET = "fleet_hosts"


def derived(loader: DataLoader) -> Mapping[str, Any]:
    """What follows from the variables of a machine, as templates."""
    found: dict[str, Any] = loader.load_from_file(str(DERIVED), cache="all", trusted_as_template=True)
    kinds = {name: "int" if whole else "float" for name, whole in limits().items()}
    values = {name: trust_as_template(f"{{{{ {name} | {kind} }}}}") for name, kind in kinds.items()}
    return {**found, "fleet_limits": values}


class VarsModule(BaseVarsPlugin):  # type: ignore[misc] # ansible-core has no types
    """What Ansible looks for."""

    is_stateless = True

    def get_vars(self, loader: DataLoader, path: str, entities: Any, cache: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """The variables of one group or machine; what it has already wins over a default."""
        found: dict[str, Any] = {}
        for entity in entities if isinstance(entities, list) else [entities]:
            if isinstance(entity, Host):
                if any(group.name == FLEET for group in entity.get_groups()):
                    found |= derived(loader)
            elif entity.name == "all":
                found |= {**defaults(), **entity.vars}
        return found
