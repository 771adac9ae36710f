from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.unit.cli.conftest import Fleet, golden

TEXT = """experiment: wec-scaling
description: |
  The experiment of the talk:
  one policy per cluster against one for all.
wecs: [1, 2]
quiet: 5s
thresholds:
- {stage: downsync, test: p99 < 10s}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    folder = tmp_path / "work" / "experiments"
    folder.mkdir()
    file = folder / "mine.yaml"
    file.write_text(TEXT)
    return file


def test_list(fleet: Fleet, spec: Path) -> None:
    (spec.parent / "broken.yaml").write_text("experiment: nope\n")
    items = {item["name"]: item for item in json.loads(fleet("experiment", "list", "-o", "json").out)["items"]}
    assert items["mine"]["description"].startswith("The experiment of the talk: one policy")
    assert items["mine"]["file"] == str(spec)
    assert "cannot be read" in items["broken"]["description"]
    lines = fleet("experiment", "list").out.splitlines()
    assert lines[0].split() == ["EXPERIMENT", "MANAGERS", "DESCRIPTION"]
    assert max(len(line) for line in lines) <= 80


def test_show_is_a_file_that_loads_again(fleet: Fleet, spec: Path, tmp_path: Path) -> None:
    words = ["--wecs", "1,2", "--objects", "7", "--set", "timeouts.object=90s", "--layout", "one-to-many"]
    ran = fleet("experiment", "show", "mine", *words)
    assert (ran.code, ran.err) == (0, "")
    shown = yaml.safe_load(ran.out)
    assert (shown["wecs"], shown["workload"]["objects"], shown["timeouts"]["object"]) == ([1, 2], 7, "90s")
    copy = tmp_path / "copy.yaml"
    copy.write_text(ran.out)
    assert fleet("experiment", "show", str(copy)).out == ran.out
    assert spec.exists()


def test_plan(fleet: Fleet, spec: Path, demo: Path) -> None:
    ran = fleet("experiment", "plan", "mine", "--repeats", "2", "--objects", "3")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == golden("plan.txt")
    document = json.loads(fleet("experiment", "plan", "mine", "-o", "json").out)
    assert {(row["layout"], row["wecs"]) for row in document["items"]} == {
        (layout, wecs) for layout in ("one-to-one", "one-to-many") for wecs in (1, 2)
    }
    assert spec.exists()
    assert demo.exists()


def test_the_experiments_of_the_checkout_load(fleet: Fleet) -> None:
    items = json.loads(fleet("experiment", "list", "-o", "json").out)["items"]
    assert "wec-scaling" in {item["name"] for item in items}
    assert not [item for item in items if "cannot be read" in item["description"]]
