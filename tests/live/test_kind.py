"""The life of a fleet of kind clusters on this machine: check, build, measure, stop, repair, scale, end."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fleet.host.drivers.kind.engine import missing_programs, read_record, run, system_engine
from fleet.host.drivers.kind.engine_daemon import CGROUPS, PATHS, SYSCTLS, members
from fleet.host.layout import Layout
from tests.live.conftest import FAST, own_lab
from tests.live.lab import Lab, changed
from tests.live.test_fleet import valid_run

CAN_RUN = bool(system_engine(run)) or (os.geteuid() == 0 and not missing_programs())
ASKED = os.environ.get("FLEET_TEST_KIND") == "1"
"""Set by `make test-kind`: the roles may install Docker then."""

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("kind"),
    pytest.mark.kind,
    pytest.mark.skipif(not (CAN_RUN or ASKED), reason="no Docker can run here: install docker.io, or `make test-kind`"),
]


PACKAGED = "/etc/docker"
"""A folder of Debian's docker.io, which the role installs and teardown leaves installed."""


def host() -> dict[str, object]:
    """What an engine and its nodes might leave behind on this machine."""
    values = {name: Path("/proc/sys", *name.split(".")) for name in SYSCTLS}
    return {
        "sysctls": {name: file.read_text(encoding="ascii") for name, file in values.items() if file.exists()},
        "paths": [path for path in PATHS if path != PACKAGED and Path(path).exists()],
        "links": sorted(name for name in psutil.net_if_addrs() if name.startswith(("br-", "docker", "fk"))),
        "groups": sorted(str(path) for path in CGROUPS.glob("*/fleet-kind-*")),
    }


@pytest.fixture(scope="module")
def before() -> dict[str, object]:
    return host()


@pytest.fixture(scope="module")
def lab(before: dict[str, object]) -> Iterator[Lab]:
    assert before["groups"] == []
    with own_lab("t-kind", {"wec_count": 3, "control_plane_driver": "kind", **FAST}) as made:
        yield made


def containers(lab: Lab) -> dict[str, str]:
    """WEC to the container that it was made as."""
    return {file.parent.name: file.read_text().split()[1] for file in lab.folder.glob("clusters/*/made")}


def statuses(lab: Lab) -> dict[str, dict[str, object]]:
    ran = lab.fleet("status", "--fleet", lab.name, "-o", "json")
    return {item["name"]: item for item in json.loads(ran.out)["items"] if item.get("role") == "wec"}


def test_check_mode_is_clean_on_a_machine_without_the_fleet(lab: Lab, before: dict[str, object]) -> None:
    lab.playbook("site.yml", "--check", "--diff").check()
    assert not lab.folder.exists()
    assert host() == before


def test_site_builds_three_clusters_with_their_kwok_nodes(lab: Lab) -> None:
    assert changed(lab.playbook("site.yml").check()) > 0
    found = statuses(lab)
    assert {name: (item["driver"], item["ready"]) for name, item in found.items()} == dict.fromkeys(
        ("wec001", "wec002", "wec003"), ("kind", True)
    )
    for name in found:
        mode = (lab.folder / "clusters" / name / "kubeconfig").stat().st_mode
        assert mode & 0o777 == 0o600


def test_a_second_run_changes_nothing_and_check_mode_agrees(lab: Lab) -> None:
    ids = containers(lab)
    assert len(set(ids.values())) == 3
    assert changed(lab.playbook("site.yml").check()) == 0
    assert changed(lab.playbook("site.yml", "--check", "--diff").check()) == 0
    assert containers(lab) == ids


def test_listeners_are_on_loopback_only(lab: Lab) -> None:
    addresses = {
        connection.laddr.ip
        for process in [*lab.processes(), *(p for p in psutil.process_iter() if p.name() == "docker-proxy")]
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses
    assert addresses <= {"127.0.0.1", "::1"}


def test_wec_scaling_is_valid_for_both_layouts(lab: Lab, tmp_path: Path) -> None:
    path = valid_run(lab, tmp_path)
    resources = (path.parent / "resources.csv").read_text(encoding="utf-8")
    assert "kubelet.wec003" in resources  # what is inside a node is measured too


def test_a_stopped_cluster_comes_back_with_what_it_held(lab: Lab) -> None:
    ids = containers(lab)
    lab.fleet("cluster", "stop", "wec002", "--fleet", lab.name).check()
    assert statuses(lab)["wec002"]["ready"] is False
    lab.fleet("cluster", "start", "wec002", "--fleet", lab.name).check()
    assert statuses(lab)["wec002"]["ready"] is True
    assert changed(lab.playbook("site.yml").check()) == 0
    assert containers(lab) == ids


def test_a_half_made_cluster_is_replaced_and_the_others_are_left_alone(lab: Lab) -> None:
    ids = containers(lab)
    (lab.folder / "clusters" / "wec003" / "made").unlink()
    lab.playbook("site.yml").check()
    again = containers(lab)
    assert {name: again[name] == ids[name] for name in ids} == {"wec001": True, "wec002": True, "wec003": False}
    assert all(item["ready"] for item in statuses(lab).values())


def test_scale_in(lab: Lab) -> None:
    lab.playbook("site.yml", wec_count=2).check()
    assert sorted(containers(lab)) == sorted(statuses(lab)) == ["wec001", "wec002"]
    assert not (lab.folder / "clusters" / "wec003").exists()


def test_teardown_leaves_no_trace(lab: Lab, before: dict[str, object]) -> None:
    assert read_record(Layout(lab.folder)) is not None
    lab.fleet("down", "--yes", "--fleet", lab.name).check()
    assert not lab.processes()
    assert not members(lab.name)
    assert not lab.folder.exists()
    assert host() == before
    lab.playbook("playbooks/teardown.yml").check()
