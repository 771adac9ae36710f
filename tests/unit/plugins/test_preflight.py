"""What site.yml refuses before anything is built: exit code 2, the variable named, no folder made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"wec_count": 0}, "wec_count: 0 is not a whole number from 1"),
        ({"fleet_name": "Not_RFC"}, 'fleet_name: "Not_RFC" is not a name'),
        (
            {"transport_its_qps": "inf", "work_hub_burst": 1e30, "status_hub_qps": "nan", "max_num_wrapped": 0},
            "max_num_wrapped, status_hub_qps, transport_its_qps, work_hub_burst: not a number above 0 and up to",
        ),
        ({"control_plane_bind_address": "0.0.0.0"}, '"0.0.0.0" is not one address'),  # noqa: S104 -- refused
        ({"control_plane_ports": {"wec001": 17000, "wec002": 17000}}, "each port once"),
        ({"hub_transport_extra_args": ["oops"]}, 'hub_transport_extra_args: ["oops"] must be a list of flags'),
        ({"fleet_state_dir": "/srv/../fleets"}, 'fleet_state_dir: "/srv/../fleets" must be an absolute path'),
    ],
)
def test_refused(variables: dict[str, object], said: str, tmp_path: Path) -> None:
    state = tmp_path / "state"
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "playbooks/machines.yml", "-e", json.dumps(variables)],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "FLEET_STATE_DIR": str(state),
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "ansible"),
            "ANSIBLE_HOME": str(tmp_path / "home"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    words = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 2
    assert all(part in words for part in ("Nothing was changed", said.rsplit(":", maxsplit=1)[-1].strip())), words
    assert not state.exists()
