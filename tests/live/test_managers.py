"""A fleet that changes its manager: each is installed, carries objects in both layouts, and leaves nothing in the WECs.

`make test-managers` runs them: their programs are built first, which takes minutes.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleet.kube.resources import CLUSTER_ROLE_BINDINGS, CRDS, NAMESPACES
from fleet.results.events import Anomaly
from fleet.results.folder import RunFolder
from tests.live.conftest import own_lab
from tests.live.lab import Lab, changed
from tests.live.runs import report_path, valid

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("managers"),
    pytest.mark.skipif(os.environ.get("FLEET_TEST_MANAGERS") != "1", reason="minutes: `make test-managers` runs it"),
]

WECS = 2
RAISED = {"kubefleet_max_unavailable": "100%", "kubefleet_unavailable_period_seconds": 1}
KINDS = (NAMESPACES, CRDS, CLUSTER_ROLE_BINDINGS)
"""Of which a manager puts something into a WEC."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Dense WECs without a manager, so that it is known what they have by themselves."""
    with own_lab("t-mgr", {"wec_count": WECS, **RAISED}) as made:
        made.playbook("site.yml", manager="none").check()
        yield made


def within(lab: Lab) -> dict[str, set[str]]:
    """What the WECs have of the kinds that managers put there."""

    async def look(wec: str) -> set[str]:
        async with lab.client(wec) as client:
            return {f"{kind} {one['metadata']['name']}" for kind in KINDS for one in await client.list_all(kind)}

    async def every() -> dict[str, set[str]]:
        return {wec: await look(wec) for wec in (f"wec{number:03d}" for number in range(1, WECS + 1))}

    return asyncio.run(every())


def measured(lab: Lab, results: Path) -> dict[str, Any]:
    """`summary.json` of a quick run of two trials each in which nothing is missing and every trial was cleaned."""
    words = ["--quick", "--repeats", "2", "--layout", "one-to-one", "--layout", "one-to-many"]
    ran = lab.fleet("experiment", "run", "wec-scaling", *words, "--fleet", lab.name, "--results", str(results))
    path = valid(lab, ran)
    anomalies = [line for line in RunFolder(path.parent).events() if isinstance(line, Anomaly)]
    assert [line.text for line in anomalies if line.what == "not-clean"] == []
    summary: dict[str, Any] = json.loads((path.parent / "summary.json").read_text(encoding="utf-8"))
    assert all(row["missing"] == 0 for row in summary["rows"]), summary["rows"]
    assert {row["layout"] for row in summary["rows"]} == {"one-to-one", "one-to-many"}
    return summary


@pytest.mark.parametrize(
    ("manager", "variables", "programs"),
    [
        ("ocm", {}, {"work-manager.hub1", "ocm-agent.wec001"}),
        ("karmada", {"karmada_mode": "pull"}, {"karmada-scheduler.karmada1", "karmada-agent.wec001"}),
        ("karmada", {"karmada_mode": "push"}, {"karmada-scheduler.karmada1", "karmada-webhook.karmada1"}),
        ("kubefleet", {}, {"kubefleet-hub-agent.kubefleet1", "kubefleet-member-agent.wec001"}),
    ],
    ids=["ocm", "karmada-pull", "karmada-push", "kubefleet"],
)
def test_a_manager_is_installed_over_another_and_carries_objects(
    lab: Lab, tmp_path: Path, manager: str, variables: dict[str, object], programs: set[str]
) -> None:
    lab.playbook("site.yml", manager=manager, **variables).check()
    assert changed(lab.playbook("site.yml", manager=manager, **variables).check()) == 0
    assert changed(lab.playbook("site.yml", "--check", manager=manager, **variables).check()) == 0
    fleet = json.loads((lab.folder / "fleet.json").read_text(encoding="utf-8"))
    assert fleet["manager"]["name"] == manager
    assert fleet["manager"]["version"].startswith("v")
    running = {one["program"] for one in fleet["components"]}
    assert programs <= running
    agents = {name for name in running if name.endswith(".wec001") and "agent" in name}
    assert agents == {name for name in programs if name.endswith(".wec001")}
    measured(lab, tmp_path)


def test_a_hub_is_upgraded_under_load_and_nothing_is_lost(lab: Lab, tmp_path: Path) -> None:
    """OCM 1.0.0 to 1.2.0, and a restart; before that, what cannot be had is refused and changes nothing."""
    lab.fleet("toolchain", "build", "--for", "manager:ocm@v1.0.0").check()
    lab.playbook("site.yml", manager="ocm").check()
    before = (lab.folder / "fleet.json").read_text(encoding="utf-8")
    run = ("experiment", "run", "hub-upgrade", "--quick", "--fleet", lab.name, "--results", str(tmp_path))
    refused = lab.fleet(*run, "--set", "upgrades=[{to: v9.9.9}]").check(2)
    assert "upgrades.0.to: v9.9.9 cannot be had: write v1.2.0 or v1.0.0" in refused.err
    assert (lab.folder / "fleet.json").read_text(encoding="utf-8") == before
    assert not list(tmp_path.iterdir())

    ran = lab.fleet(*run, "--set", "upgrades=[{from: v1.0.0, to: v1.2.0}, {}]").check()
    folder = report_path(lab, ran.out).parent
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    (table,) = [one for one in summary["tables"] if one["name"] == "upgrades"]
    names = [column["name"] for column in table["columns"]]
    rows = {row[0]: dict(zip(names, row, strict=True)) for row in table["rows"]}
    assert rows.keys() == {"v1.0.0 to v1.2.0", "restart"}
    for row in rows.values():
        assert (row["lost"], row["copies"]) == (0, 60 * WECS)
        assert row["lists"] > row["lists undisturbed"], "programs that start list what they watch"
    lab.fleet("check", str(folder)).check()
    fleet = json.loads((lab.folder / "fleet.json").read_text(encoding="utf-8"))
    assert fleet["manager"]["version"] == "v1.2.0"
    assert changed(lab.playbook("site.yml", "--check", manager="ocm").check()) == 0


def test_jobs_are_dispatched_to_workers_and_come_back(lab: Lab, tmp_path: Path) -> None:
    lab.playbook("site.yml", manager="multikueue").check()
    assert changed(lab.playbook("site.yml", manager="multikueue").check()) == 0
    assert changed(lab.playbook("site.yml", "--check", manager="multikueue").check()) == 0
    run = ("experiment", "run", "--fleet", lab.name, "--results", str(tmp_path))
    refused = lab.fleet(*run, "wec-scaling").check(2)
    assert "distributes nothing by policies: run job-dispatch" in refused.err
    ran = lab.fleet(*run, "job-dispatch", "--quick").check()
    summary = json.loads((report_path(lab, ran.out).parent / "summary.json").read_text(encoding="utf-8"))
    (table,) = [one for one in summary["tables"] if one["name"] == "jobs"]
    names = [column["name"] for column in table["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in table["rows"]]
    assert {row["limits and load"] for row in rows} == {"limits=closed load=single", "limits=closed load=burst"}
    assert all((row["workers"], row["Jobs"], row["not finished"], row["twice"]) == (WECS, 6, 0, 0) for row in rows)
    assert all(0 < row["dispatch p50"] < row["completion p50"] for row in rows)
    assert all(row["hub requests per Job"] > 0 for row in rows)


def test_the_last_one_leaves_nothing_in_the_wecs(lab: Lab) -> None:
    lab.playbook("site.yml", manager="none").check()
    after = within(lab)
    words = ("karmada", "fleet", "kueue", "open-cluster-management")
    assert {name for found in after.values() for name in found if any(word in name for word in words)} == set()
    assert not list((lab.folder / "agents").glob("*"))
    lab.playbook("playbooks/teardown.yml").check()
    assert lab.processes() == []
    assert not lab.folder.exists()
