"""The vars plugin and the callback, under the real Ansible."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fleet.model.build_progress import FILE, BuildProgress
from fleet.model.fleet_file import FleetFile

CHECKOUT = Path(__file__).parents[3]
HOSTS = """
all:
  vars: {wec_nodes: 3}
  children:
    fleet_hosts:
      vars: {dense_shard_size: 7}
      children:
        hub_hosts: {hosts: {localhost: }}
        wec_hosts: {hosts: {localhost: }}
  hosts:
    localhost: {ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}
"""
OLD = """
fleet_is_local: false
fleet_machine_dir: /nowhere
fleet_limits: {}
"""
PLAY = """
- name: Begin
  hosts: fleet_hosts
  gather_facts: false
  tasks:
    - name: Check the variables
      fleet_variables:
      register: found
    - name: Note what is known
      ansible.builtin.copy:
        content: "{{ {'variables': found, 'wec_names': wec_names, 'is_local': fleet_is_local, 'limits': fleet_limits,
                      'dir': fleet_machine_dir} | to_json }}"
        dest: "{{ playbook_dir }}/known.json"
        mode: "0600"
    - name: Record it
      fleet_record:
        fleet: "{{ fleet_name }}"
        state_dir: "{{ fleet_machine_dir }}"
        machines: ["{{ fleet_machine_record }}"]
        state: building
        variables: "{{ found.variables }}"
        variables_of: "{{ found.hosts }}"
        given: "{{ found.given }}"
- name: Go on
  hosts: fleet_hosts
  gather_facts: false
  tasks:
    - name: Fail on request
      ansible.builtin.fail:
        msg: no room
      when: wec_count | int == 5
    - name: Complete it
      fleet_record:
        fleet: "{{ fleet_name }}"
        state_dir: "{{ fleet_machine_dir }}"
        machines: ["{{ fleet_machine_record }}"]
        variables: "{{ found.variables }}"
        variables_of: "{{ found.hosts }}"
        given: "{{ found.given }}"
"""


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """An inventory as users have them, with the derived values of an older release copied into it."""
    folder = tmp_path / "inventory"
    (folder / "group_vars").mkdir(parents=True)
    (folder / "hosts.yml").write_text(HOSTS, encoding="utf-8")
    (folder / "group_vars" / "all.yml").write_text("fleet_name: mine\nwec_count: 2\n", encoding="utf-8")
    (folder / "group_vars" / "fleet_hosts.yml").write_text(OLD, encoding="utf-8")
    return folder


def played(inventory: Path, *words: str) -> tuple[int, str]:
    """The exit code, and what was said."""
    book = inventory.parent / "play.yml"
    book.write_text(PLAY, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "-i", str(inventory), str(book), *words],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "FLEET_STATE_DIR": str(inventory.parent / "state"),
            "ANSIBLE_LOCAL_TEMP": str(inventory.parent / "ansible"),
            "ANSIBLE_HOME": str(inventory.parent / "home"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def known(inventory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((inventory.parent / "known.json").read_text(encoding="utf-8"))
    return found


def test_defaults_lie_below_all_that_an_inventory_says_and_derived_values_above(inventory: Path) -> None:
    code, said = played(inventory, "-e", "transport_its_qps=100", "-e", "our_region=north")
    assert code == 0, said
    found = known(inventory)
    values = found["variables"]["variables"]
    assert (values["wec_count"], values["wec_nodes"], values["dense_shard_size"]) == (2, 3, 7)
    assert (values["wds_count"], values["transport_its_qps"]) == (1, 100)
    assert found["variables"]["given"] == {"transport_its_qps": 100}
    assert (found["wec_names"], found["is_local"]) == (["wec001", "wec002"], True)
    assert found["dir"] == str(inventory.parent / "state" / "mine")
    assert (found["limits"]["transport_its_qps"], found["limits"]["transport_its_burst"]) == (100, 10)
    file = inventory.parent / "state" / "mine" / "fleet.json"
    fleet = FleetFile.model_validate_json(file.read_bytes())
    assert (fleet.state, fleet.variables, fleet.given) == ("built", values, {"transport_its_qps": 100})
    assert not (file.parent / FILE).exists()


def test_a_failed_task_leaves_the_fleet_recorded_with_its_reason(inventory: Path) -> None:
    code, said = played(inventory, "-e", "wec_count=5")
    assert code == 2, said
    folder = inventory.parent / "state" / "mine"
    assert FleetFile.model_validate_json((folder / "fleet.json").read_bytes()).state == "building"
    progress = BuildProgress.model_validate_json((folder / FILE).read_bytes())
    assert (progress.play, progress.task, progress.host) == ("Go on", "Fail on request", "localhost")
    assert "no room" in progress.reason
    code, said = played(inventory)
    assert code == 0, said
    assert not (folder / FILE).exists()


def test_check_mode_leaves_nothing(inventory: Path) -> None:
    code, said = played(inventory, "--check")
    assert code == 0, said
    assert not (inventory.parent / "state").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-e", "fleet_limits={}"], "fleet_limits: follows from other variables and cannot be set"),
        (["-e", "wec_names=[]"], "wec_names: follows from other variables and cannot be set"),
        (["-e", "wec_cuont=3"], "wec_cuont: there is no such variable: wec_count is the closest"),
    ],
)
def test_names_that_cannot_be_set(inventory: Path, words: list[str], said: str) -> None:
    code, told = played(inventory, *words)
    assert code == 2
    assert said in " ".join(told.split())


def test_a_name_that_is_misspelt_in_the_inventory_is_found(inventory: Path) -> None:
    (inventory / "group_vars" / "all.yml").write_text("fleet_name: mine\nwec_nodse: 2\n", encoding="utf-8")
    code, told = played(inventory)
    assert code == 2
    assert "wec_nodse: there is no such variable: wec_nodes is the closest" in " ".join(told.split())


def test_what_differs_from_machine_to_machine_is_recorded_with_each(inventory: Path) -> None:
    two = HOSTS.replace("hub_hosts: {hosts: {localhost: }}", "hub_hosts: {hosts: {other: }}")
    local = 'ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"'
    two += f"    other: {{{local}, wan: {{rtt: 40ms}}}}\n"
    (inventory / "hosts.yml").write_text(two, encoding="utf-8")
    code, said = played(inventory, "--limit", "localhost")
    assert code == 0, said
    found = known(inventory)["variables"]
    assert found["hosts"] == {"localhost": {"wan": {}}, "other": {"wan": {"rtt": "40ms"}}}
    assert "wan" not in found["variables"]
    file = inventory.parent / "state" / "mine" / "fleet.json"
    machine = FleetFile.model_validate_json(file.read_bytes()).machines[0]
    assert (machine.name, machine.variables) == ("localhost", {"wan": {}})
    two = two.replace("rtt: 40ms", "rtt: 40")
    (inventory / "hosts.yml").write_text(two, encoding="utf-8")
    code, said = played(inventory, "--limit", "localhost")
    assert code == 2
    assert "wan of other: rtt: a duration is a number with a unit" in " ".join(said.split())
