"""Hollow nodes in pods of a kind cluster's real node: built, measured alongside the other sorts, moved, ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleet.host.https import Answer
from fleet.simulators.hollow import objects
from tests.live.conftest import own_lab
from tests.live.lab import Lab, changed
from tests.live.test_kind import ASKED, CAN_RUN, host

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("kind"),
    pytest.mark.kind,
    pytest.mark.skipif(not (CAN_RUN or ASKED), reason="no Docker can run here: install docker.io, or `make test-kind`"),
]
SETS = ("window=20s", "settle=5s", "repeats=1", "pods=6", "stay=3s")


@pytest.fixture(scope="module")
def before() -> dict[str, object]:
    return host()


@pytest.fixture(scope="module")
def lab(before: dict[str, object]) -> Iterator[Lab]:
    """One WEC with a kwok node and four hollow ones in two pods; the first test builds it."""
    assert before["groups"] == []
    variables = {
        "wec_count": 1, "control_plane_driver": "kind", "manager": "none", "wec_programs": "own",
        "node_simulator": "mixed", "wec_nodes": 5, "wec_hollow_nodes": 4, "hollow_per_process": 2,
        "hollow_placement": "pods",
    }  # fmt: skip
    with own_lab("t-pods", variables) as made:
        yield made


def asked(lab: Lab, path: str) -> Answer:
    return lab.endpoint("wec001").request("GET", path)


def items(lab: Lab, path: str) -> list[Any]:
    found: list[Any] = asked(lab, path).json()["items"]
    return found


def test_another_driver_is_refused_before_anything_changes(lab: Lab) -> None:
    refused = lab.playbook("site.yml", control_plane_driver="process")
    assert refused.code != 0
    assert "hollow_placement: pods run on the real node of a kind cluster" in refused.out
    assert not lab.folder.exists()


def test_two_nodes_in_each_pod_and_a_second_run_changes_nothing(lab: Lab) -> None:
    lab.playbook("site.yml", "--check", "--diff").check()
    assert not lab.folder.exists()
    assert changed(lab.playbook("site.yml").check()) > 0
    assert changed(lab.playbook("site.yml").check()) == 0
    assert changed(lab.playbook("site.yml", "--check", "--diff").check()) == 0
    pods = {pod["metadata"]["labels"][objects.LABEL]: pod["status"]["podIP"] for pod in items(lab, objects.PODS_PATH)}
    assert set(pods) == {"hollow-0", "hollow-1"}
    addresses = {
        node["metadata"]["name"]: node["status"]["addresses"][0]["address"]
        for node in items(lab, "/api/v1/nodes?labelSelector=fleet-testbed/node%3Dhollow")
    }
    assert addresses == {
        "hollow-001": pods["hollow-0"], "hollow-002": pods["hollow-0"],
        "hollow-003": pods["hollow-1"], "hollow-004": pods["hollow-1"],
    }  # fmt: skip
    assert b"kubelet_running_pods" in asked(lab, "/api/v1/nodes/hollow-003/proxy/metrics").body


def test_they_are_measured_alongside_kwok_s_and_the_real_node(lab: Lab, tmp_path: Path) -> None:
    sets = [word for one in SETS for word in ("--set", one)]
    words = ("experiment", "run", "node-fidelity", "--fleet", lab.name, "--results", str(tmp_path), *sets)
    page = Path(lab.fleet(*words).check().out.strip().splitlines()[-1])
    tables = json.loads((page.parent / "summary.json").read_text(encoding="utf-8"))["tables"]
    (table,) = [one for one in tables if one["name"] == "fidelity"]
    names = [column["name"] for column in table["columns"]]
    rows = {row[0]: dict(zip(names, row, strict=True)) for row in table["rows"]}
    assert rows["watches of a node"]["hollow"] > 4
    assert rows["requests of a pod, up and down"]["hollow"] > rows["requests of a pod, up and down"]["kwok"]
    assert rows["memory of the node itself (PSS)"]["hollow"] > 0
    assert changed(lab.playbook("site.yml").check()) == 0


def test_nodes_move_to_processes_of_the_machine(lab: Lab) -> None:
    assert changed(lab.playbook("site.yml", hollow_placement="process").check()) > 0
    assert changed(lab.playbook("site.yml", hollow_placement="process").check()) == 0
    assert asked(lab, f"{objects.NAMESPACES}/{objects.NAMESPACE}").status == 404
    assert len(items(lab, "/api/v1/nodes?labelSelector=fleet-testbed/node%3Dhollow")) == 4


def test_teardown_leaves_no_trace(lab: Lab, before: dict[str, object]) -> None:
    lab.fleet("down", "--yes", "--fleet", lab.name).check()
    assert not lab.processes()
    assert not lab.folder.exists()
    assert host() == before
