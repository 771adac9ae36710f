"""The recipe for machines of a cloud: who gets into which group. tests/live/test_cloud.py builds a fleet with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from fleet.model.checkout import PACKAGE
from tests.live.cloud import PLUGINS, as_a_user


def _listed(tmp_path: Path, lab: dict[str, str]) -> dict[str, Any]:
    """What `ansible-inventory` says of a lab with these machines."""
    hosts = {name: {"ansible_host": address} for name, address in lab.items()}
    (tmp_path / "hosts.json").write_text(json.dumps({"_meta": {"hostvars": hosts}}))
    folder = as_a_user(tmp_path / "cloud", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "inventory", "-i", str(folder), "--list"],
        cwd=PACKAGE.parent,
        env={**os.environ, "ANSIBLE_INVENTORY_PLUGINS": str(PLUGINS), "ANSIBLE_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_tags_make_groups_and_what_others_own_is_left_out(tmp_path: Path) -> None:
    found = _listed(tmp_path, {"m1": "10.0.0.1", "m2": "10.0.0.2", "m3": "10.0.0.3"})
    assert found["hub_hosts"]["hosts"] == ["i-m1"]
    assert found["wec_hosts"]["hosts"] == ["i-m2", "i-m3"]
    assert sorted(found["fleet_hosts"]["hosts"]) == ["i-m1", "i-m2", "i-m3"]
    known = found["_meta"]["hostvars"]
    addresses = {host: known[host]["ansible_host"]["__ansible_unsafe"] for host in known}  # data, never a template
    assert addresses == {"i-m1": "10.0.0.1", "i-m2": "10.0.0.2", "i-m3": "10.0.0.3"}
    assert found["_meta"]["hostvars"]["i-m2"]["wec_weight"] == 1.0
