"""What site.yml refuses before anything is built: exit code 2, the variable named, no folder made."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fleet.host.ports import bindable

CHECKOUT = Path(__file__).parents[3]


def refused(variables: dict[str, object], tmp_path: Path) -> str:
    """What the playbook says while it ends with 2 and has made no folder."""
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
    assert done.returncode == 2
    assert not state.exists()
    return " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"wec_cuont": 20}, "wec_cuont: there is no such variable: wec_count is the closest"),
        ({"wec_count": 0}, "wec_count: 0 is not a whole number from 1"),
        ({"wds_count": 10}, "wds_count: 10 is not a whole number from 1 to 9"),
        ({"wds_count": 2, "wds_serving": 3}, "wds_serving: 3 is not a whole number from 1 to 2"),
        ({"its_count": 0, "wds_count": 2}, "its_count: 0 is not a whole number from 1 to 2"),
        ({"its_count": 2}, "its_count: 2 is not a whole number from 1 to 1"),
        ({"its_count": 2, "wds_count": 2, "wan": {"rtt": "5ms"}}, "no link (wan): links and the credentials"),
        ({"fleet_name": "Not_RFC"}, 'fleet_name: "Not_RFC" is not a name'),
        (
            {"transport_its_qps": "inf", "work_hub_burst": 1e30, "status_hub_qps": "nan", "max_num_wrapped": 0},
            "max_num_wrapped, status_hub_qps, transport_its_qps, work_hub_burst: not a number above 0 and up to",
        ),
        ({"control_plane_bind_address": "0.0.0.0"}, '"0.0.0.0" is not one address'),  # noqa: S104 -- refused
        ({"control_plane_ports": {"wec001": 17000, "wec002": 17000}}, "each port once"),
        (
            {"control_plane_ports": {"wec001": 17000, "wec002": 17002}, "control_plane_driver": "process"},
            "each port once; a control plane of the hub, and a WEC of the driver process, takes three in a row",
        ),
        (
            {"record_status_agent": "ocm-status-addon"},
            'record_status_agent: "ocm-status-addon" would be written on every run',
        ),
        ({"ocm_agents_status_agent": False}, "with false name the one that you run (ocm-status-addon)"),
        (
            {"control_plane_etcd_env": {"A B": "1"}},
            'control_plane_etcd_env: {"A B": "1"} must map names of',
        ),
        ({"hub_transport_env": {"A": "it's"}}, "hub_transport_env: "),
        ({"control_plane_kcm_env": {"GOGC": "50"}}, "are part of one process: set control_plane_driver=process"),
        ({"hub_transport_extra_args": ["oops"]}, 'hub_transport_extra_args: ["oops"] must be a list of flags'),
        ({"fleet_state_dir": "/srv/../fleets"}, 'fleet_state_dir: "/srv/../fleets" must be an absolute path'),
    ],
)
def test_refused(variables: dict[str, object], said: str, tmp_path: Path) -> None:
    words = refused(variables, tmp_path)
    assert all(part in words for part in ("Nothing was changed", said.rsplit(":", maxsplit=1)[-1].strip())), words


def held_alone() -> socket.socket:
    """Listens on a port after which five are free, those of both planes, so that one is refused and no other."""
    while True:
        made = socket.create_server(("127.0.0.1", 0))
        port = made.getsockname()[1]
        if port < 65_000 and all(bindable(port + more) for more in range(1, 6)):
            return made
        made.close()


def test_a_port_that_another_program_holds_is_refused(tmp_path: Path) -> None:
    with held_alone() as other:
        port = other.getsockname()[1]
        words = refused({"control_plane_ports": {"its1": port, "wec001": port + 3}}, tmp_path)
    said = f"control_plane_ports: port {port} for its1 is held by another program: choose another. Nothing was changed"
    assert said in words, words


def over_ssh(folder: Path, **hosts: dict[str, str]) -> Path:
    """An inventory of machines over SSH, the first the hub's; the other variables are those of the lab's."""
    known = {name: {"ansible_host": f"192.0.2.{at}", **more} for at, (name, more) in enumerate(hosts.items())}
    groups: dict[str, object] = {
        "hub_hosts": {"hosts": {next(iter(hosts)): {}}},
        "wec_hosts": {"hosts": {name: {} for name in list(hosts)[1:]}},
    }
    every = {"hosts": known, "vars": {"ansible_user": "fleet"}, "children": {"fleet_hosts": {"children": groups}}}
    shutil.copytree(CHECKOUT / "inventories" / "lab" / "group_vars", folder / "group_vars")
    (folder / "hosts.yml").write_text(json.dumps({"all": every}), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        ({"a": {}, "b": {"ansible_host": "192.0.2.0"}}, "b and a are one machine"),
        ({"a": {}, "B_2": {}}, '"B_2" is not a name for a machine'),
        ({"a": {}, "b": {"wec_weight": "-1"}}, "wec_weight of b: -1.0 is not a number from 0"),
        ({"a": {}}, "wec_hosts at least one"),
        (
            {"a": {}, "b": {"control_plane_bind_address": "127.0.0.1"}},
            '"127.0.0.1" of b is reached by no',
        ),
        ({"a": {}, "b": {"ansible_ssh_private_key_file": "/no/key"}}, "/no/key of b does not exist"),
    ],
)
def test_machines_that_cannot_be_are_refused_before_any_is_reached(
    hosts: dict[str, dict[str, str]], said: str, tmp_path: Path
) -> None:
    inventory = str(over_ssh(tmp_path / "i", **hosts))
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "playbooks/machines.yml", "-i", inventory],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "FLEET_STATE_DIR": str(tmp_path / "state"),
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "ansible"),
            "ANSIBLE_HOME": str(tmp_path / "home"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    words = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 2, words
    assert "Nothing was changed" in words
    assert said in words, words
    assert "UNREACHABLE" not in words
