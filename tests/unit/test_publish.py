"""A published run is packed and whole by its manifest; what was changed since the run is not published."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.results.folder import EVENTS, RunFolder
from tests.unit.report.made import simulated, write_run
from tools.publish import publish


def run_folder(root: Path) -> RunFolder:
    """A sealed run of two WECs."""
    made = write_run(root, simulated([2], repeats=1).ordered(), wecs=2)
    made.seal()
    return made


def test_a_published_run_is_packed_and_whole(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "ran")
    recorded = list(run.events())

    target = RunFolder(publish(run.path, "reference", tmp_path / "results"))

    assert target.path == tmp_path / "results" / "wec-scaling" / "reference"
    assert not target.modified()
    assert not list(target.path.glob("*.csv"))
    assert target.log.name == f"{EVENTS}.gz"
    assert list(target.events()) == recorded


def test_a_run_that_was_changed_is_refused(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "ran")
    with run.log.open("a") as file:
        file.write("\n")
    with pytest.raises(ValueError, match=EVENTS):
        publish(run.path, "reference", tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_a_name_of_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="begin with a letter"):
        publish(run_folder(tmp_path / "ran").path, "20261128T234202Z-ddd3e56c", tmp_path / "results")
