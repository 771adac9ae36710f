"""Our Ansible modules through the real `ansible`: packed with what they share, and what they say when refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[3]


def call(module: str, arguments: dict[str, Any], tmp_path: Path, python: str = sys.executable) -> dict[str, Any]:
    """What one ad-hoc call in check mode answers."""
    words = [
        "localhost",
        "--playbook-dir",
        str(tmp_path),
        "-c",
        "local",
        "--check",
        "-m",
        module,
        "-a",
        json.dumps(arguments),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "adhoc", *words, "-e", f"ansible_python_interpreter={python}"],
        cwd=tmp_path,  # not the checkout: Ansible drops the folder that it runs in from the path of imports
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "ansible"),
            "ANSIBLE_HOME": str(tmp_path / "home"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    _, _, answer = done.stdout.strip().partition("=> ")
    assert "FAILED!" in done.stdout, done.stdout + done.stderr
    answer = answer.rsplit("}", 1)[0] + "}"
    return dict(json.loads(answer))


def arguments(state: Path) -> dict[str, dict[str, Any]]:
    """The least that each module wants, with a name that none of them takes where it looks at names."""
    place = {"fleet": "demo", "state_dir": str(state / "demo")}
    machine = {**place, "toolchain_dirs": [str(state / "bin")]}
    return {
        "fleet_capacity": {
            "state_dir": str(state / "demo"),
            "hub_planes": 0,
            "wecs": 100_000,
            "driver": "dense",
            "hubs": 1,
            "manager": "ocm",
        },
        "fleet_control_planes": {**machine, "part": "wecs", "planes": [{"name": "Not_A_Name", "role": "wec"}]},
        "fleet_manager": {**place, "state": "joined", "manager": "nonsense"},
        "fleet_record": {
            "fleet": "demo",
            "state_dir": str(state / "demo"),
            "toolchain_digest": "sha256:0",
            "machines": [{"nonsense": 1}],
        },
        "fleet_teardown": {"fleet": "Not_A_Name", "state_dir": str(state / "demo")},
    }


@pytest.mark.parametrize(
    ("module", "error", "said"),
    [
        ("fleet_capacity", "CapacityError", "and 100000 more WECs (dense) with 100000 agents"),
        ("fleet_control_planes", "UsageError", "Not_A_Name"),
        (
            "fleet_manager",
            "UsageError",
            "manager: 'nonsense' is not one of karmada, kubefleet, kubestellar, multikueue, none, ocm",
        ),
        ("fleet_record", "UsageError", "machines: "),
        ("fleet_teardown", "UsageError", "fleet_name"),
    ],
)
def test_an_error_of_ours_is_the_task_s_failure(module: str, error: str, said: str, tmp_path: Path) -> None:
    answer = call(module, arguments(tmp_path)[module], tmp_path)
    assert answer["error"] == error, answer
    assert said in answer["msg"]
    assert not (tmp_path / "demo").exists()


def test_a_python_without_fleet_is_named(tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    python = str(tmp_path / "bare" / "bin" / "python")
    answer = call("fleet_manager", arguments(tmp_path)["fleet_manager"], tmp_path, python)
    assert "kubestellar-fleet-testbed" in answer["msg"], answer
    assert python in answer["msg"]
