"""watch-scaling, node-scaling, scheduler-throughput with real programs: both ends agree, the fleet is as before."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from fleet.kube import resources
from tests.live.conftest import shared_lab
from tests.live.lab import Lab

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("scaling")]

NODES = 3


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A fleet of one WEC."""
    variables = {"wec_count": 1, "manager": "none", "wec_nodes": NODES, "control_plane_driver": "process"}
    with shared_lab("t-scaling", variables) as made:
        made.fleet("toolchain", "build", "--for", "experiment:watch-scaling").check()
        made.playbook("site.yml").check()
        yield made


def rows(lab: Lab, results: Path, name: str, *sets: str, of: str = "steps") -> list[dict[str, Any]]:
    """Every step of a run that came to its end; `of`: the table that has them."""
    more = [word for one in sets for word in ("--set", one)]
    done = lab.fleet("experiment", "run", name, "--quick", *more, "--fleet", lab.name, "--results", str(results))
    assert done.code in (0, 4), done.err
    (record,) = results.rglob("run.json")
    assert json.loads(record.read_text())["endings"] == []
    (file,) = results.rglob("summary.json")
    (table,) = [table for table in json.loads(file.read_text())["tables"] if table["name"] == of]
    head = [column["name"] for column in table["columns"]]
    return [dict(zip(head, row, strict=True)) for row in table["rows"]]


def test_every_watch_gets_what_it_selects(lab: Lab, tmp_path: Path) -> None:
    found = rows(
        lab, tmp_path, "watch-scaling", "protocols=[http/2, http/1.1]", "selectors=[all, node, name]", "objects=6",
        "first=12", "most=12", "window=3s", "late=20s",
    )  # fmt: skip
    assert len(found) == 2 + 2 * 3
    for row in found:
        select = row["series"].partition("selector=")[2]
        each = {"node": NODES, "name": 6}.get(select, 1)
        assert (row["never came"], row["thrown off"], row["limit"]) == (0, 0, ""), row
        assert row["deliveries"] == pytest.approx(row["changes"] * 12 / each, rel=0.05), row
        assert row["connections"] == (12 if "http/1.1" in row["series"] else 1), row
        assert row["server CPU"] > 0
        assert row["client CPU"] > 0


def test_schedulers_bind_every_pod_and_a_limit_holds(lab: Lab, tmp_path: Path) -> None:
    found = rows(lab, tmp_path, "scheduler-throughput", "loads=[one-group, taints]", of="throughput")
    names = ["default", "raised", "packing"]
    assert [(row["load"], row["scheduler"]) for row in found] == [
        (load, name) for load in ("one-group", "taints") for name in names
    ]
    assert all(row["bound"] == row["pods"] == 300 for row in found), found
    for row in found:
        if row["scheduler"] == "default":  # 200 beyond the burst, at 50 a second; some tokens went into its start
            assert row["first to last"] > 0.9 * row["predicted"] == 0.9 * 4.0, row
    (file,) = tmp_path.rglob("summary.json")
    (spread,) = [table for table in json.loads(file.read_text())["tables"] if table["name"] == "spread"]
    head = [column["name"] for column in spread["columns"]]
    most = {row[head.index("point")]: row[head.index("most")] for row in spread["rows"]}
    assert most["load=one-group scheduler=packing"] == 110
    assert most["load=one-group scheduler=raised"] < 110
    assert not [one for one in psutil.process_iter() if any("/fleet-scheduler-" in word for word in _words(one))]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


async def test_nodes_grow_and_the_fleet_gets_its_own_back(lab: Lab, tmp_path: Path) -> None:
    sets = ("simulators=[kwok]", "first=2", "most=5", "factor=2.5", "pods_per_node=2")
    found = await asyncio.to_thread(rows, lab, tmp_path, "node-scaling", *sets)
    assert [(row["nodes"], row["state"]) for row in found] == [
        (count, state) for count in (2, 5) for state in ("at rest", "with pods")
    ]
    assert all(row["nodes that turned not ready"] == 0 for row in found)
    assert all(row["pods that never ran"] == 0 for row in found if row["state"] == "with pods")
    async with lab.client("wec001") as client:
        assert len(await client.list_all(resources.NODES)) == NODES
