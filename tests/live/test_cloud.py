"""The recipe of docs/how-to/cloud.md: a fleet built, changed and removed through an inventory plugin of one's own.

The machines are the lab's, the plugin is tests/live/cloud/lab_cloud.py; all else is `inventories/cloud` as it ships.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.cloud import PLUGINS, as_a_user
from tests.live.conftest import state_folder
from tests.live.lab import Lab, changed
from tests.live.test_lab import pytestmark  # noqa: F401 -- the same conditions

SUBNET = "10.79.0.0/24"


@dataclass(frozen=True)
class Cloud(Lab):
    """A fleet whose machines a plugin finds."""

    @property
    def environment(self) -> dict[str, str]:
        """With the plugin, as a user would have it installed."""
        return super().environment | {"ANSIBLE_INVENTORY_PLUGINS": str(PLUGINS)}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[tuple[Cloud, str]]:
    """Machines up, and the inventory that finds them."""
    with state_folder() as state:
        lab = state / ".lab"
        made = Cloud(
            "cloud", state, {"ansible_user": "fleet", "ansible_ssh_private_key_file": str(lab / "ssh" / "id_ed25519")}
        )
        try:
            made.fleet("lab", "up", "--machines", "2", "--subnet", SUBNET).check()
            inventory = as_a_user(tmp_path / "inventory", lab)
            yield made, str(inventory)
        finally:
            made.fleet("lab", "down")


def test_a_fleet_on_machines_that_a_plugin_finds(cloud: tuple[Cloud, str]) -> None:
    made, inventory = cloud
    known = {
        "fleet_known_hosts": str(made.state / ".lab" / "ssh" / "known_hosts"),
        "host_tuning_become": False,
        "host_tuning_enabled": False,
        "manager": "none",
        "node_simulator": "none",
        "wec_nodes": 0,
    }
    made.playbook("site.yml", "-i", inventory, wec_count=2, **known).check()
    again = made.playbook("site.yml", "-i", inventory, wec_count=2, **known).check()
    assert changed(again) == 0, [line for line in again.out.splitlines() if line.startswith(("TASK", "changed"))]
    made.fleet("lab", "up", "--machines", "3", "--subnet", SUBNET).check()
    made.playbook("site.yml", "-i", inventory, wec_count=4, **known).check()
    items = json.loads(made.fleet("status", "--fleet", made.name, "-o", "json").check().out)["items"]
    places = {item["name"]: item["machine"] for item in items if item["role"] == "wec" and item["ready"]}
    assert places == {"wec001": "i-m2", "wec002": "i-m2", "wec003": "i-m3", "wec004": "i-m3"}
    made.playbook("playbooks/teardown.yml", "-i", inventory, **known).check()
    assert not made.folder.exists()
