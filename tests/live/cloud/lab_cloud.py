"""An inventory plugin as that of a cloud, over the machines of `fleet lab`: instances with ids, addresses and tags.

It is what the recipe in docs/how-to/cloud.md has in the place of a user's own plugin. As a cloud does, it also lists
machines of others and those that are stopped.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.plugins.inventory import BaseInventoryPlugin

DOCUMENTATION = r"""
name: lab_cloud
short_description: Machines of a lab as instances of a cloud
description: Names are instance ids; C(private_ip_address), C(state) and C(tags) are host variables.
options:
  plugin: {description: Its name., type: str, required: true, choices: [lab_cloud]}
  lab: {description: The folder of the lab., type: path, required: true}
  filters: {description: Tags that an instance must have., type: dict, default: {}}
"""
OTHERS = [
    {"id": "i-others", "address": "192.0.2.1", "state": "running", "tags": {"fleet-role": "hub"}},
    {"id": "i-stopped", "address": "192.0.2.2", "state": "stopped", "tags": {"fleet": "cloud", "fleet-role": "wec"}},
]


class InventoryModule(BaseInventoryPlugin):  # type: ignore[misc] # ansible-core has no types
    """What Ansible looks for."""

    NAME = "lab_cloud"

    def verify_file(self, path: str) -> bool:
        """Its files end as those of a cloud's plugin do."""
        return bool(super().verify_file(path)) and path.endswith("lab_cloud.yml")

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Every instance that runs and has the tags."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        lab = Path(self.get_option("lab"))
        machines = json.loads((lab / "hosts.json").read_text(encoding="utf-8"))["_meta"]["hostvars"]
        instances = [
            {
                "id": f"i-{name}",
                "address": known["ansible_host"],
                "state": "running",
                "tags": {"fleet": "cloud", "fleet-role": "hub" if number == 0 else "wec"},
            }
            for number, (name, known) in enumerate(sorted(machines.items()))
        ]
        filters = self.get_option("filters")
        for one in [*instances, *OTHERS]:
            if one["state"] != "running" or not filters.items() <= one["tags"].items():
                continue
            self.inventory.add_host(one["id"])
            self.inventory.set_variable(one["id"], "private_ip_address", one["address"])
            self.inventory.set_variable(one["id"], "tags", one["tags"])
