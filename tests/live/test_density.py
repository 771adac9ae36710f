"""The short form of density with real control planes: what it writes, what it costs, and that nothing is left."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.live.conftest import shared_lab
from tests.live.lab import BIN, Lab
from tests.live.waiting import RUN_SECONDS, until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("density")]

RUN = ["experiment", "run", "density", "--quick"]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A fleet of one WEC: density leaves it alone."""
    variables = {"wec_count": 1, "manager": "none", "node_simulator": "none"}
    with shared_lab("t-density", variables) as made:
        made.fleet("toolchain", "build", "--for", "experiment:density").check()
        made.playbook("site.yml").check()
        yield made


def left(lab: Lab) -> list[psutil.Process]:
    """Processes of the control planes that density has launched."""
    return list(lab._processes(f"{lab.folder}.density"))


def run_of(results: Path) -> Path:
    (file,) = results.rglob("run.json")
    return file.parent


def test_the_short_form(lab: Lab, tmp_path: Path) -> None:
    done = lab.fleet(*RUN, "--fleet", lab.name, "--results", str(tmp_path))
    assert done.code in (0, 4), done.err
    folder = run_of(tmp_path)
    tables = {table["name"]: table for table in json.loads((folder / "summary.json").read_text())["tables"]}
    assert set(tables) >= {"cost", "residuals", "phases", "bootstrap", "latency"}
    head = [column["name"] for column in tables["cost"]["columns"]]
    cost = {(row[0], row[1], row[3]): dict(zip(head, row, strict=True)) for row in tables["cost"]["rows"]}
    each = cost["steady", "live_heap", "total"]
    assert each["points"] == 4
    assert 5 < each["each"] < 200  # MiB: a control plane holds megabytes, and not hundreds
    with (folder / "latency.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["op"] for row in rows} == {"read", "write"}
    assert sum(int(row["count"]) for row in rows) > 0
    assert (folder / "summary.md").is_file()
    assert not left(lab)
    assert not Path(f"{lab.folder}.density").exists()


def test_the_next_run_repairs_what_a_killed_one_left(lab: Lab, tmp_path: Path) -> None:
    words = [*RUN, "--set", "scenario=bootstrap", "--fleet", lab.name, "--results", str(tmp_path / "killed")]
    killed = subprocess.Popen([str(BIN / "fleet"), *words], env=lab.environment, cwd=Path(__file__).parents[2])

    def begun() -> bool:
        return any("kube" in " ".join(p.cmdline()) or p.name() == "dense" for p in left(lab))

    until("a control plane is there", begun, seconds=RUN_SECONDS, running=killed)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert left(lab)
    words[-1] = str(tmp_path / "again")
    assert lab.fleet(*words).code in (0, 4)
    assert not left(lab)
    assert not Path(f"{lab.folder}.density").exists()
