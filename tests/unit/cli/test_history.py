from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.analysis.test_compare import study
from tests.unit.cli.conftest import Fleet
from tests.unit.report.made import run_record

RUN = "20261122T180000Z-00000001"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    study(tmp_path / "results", counts=(4,), record=run_record(RUN, 4))
    return tmp_path / "results"


def test_table_json_and_files(fleet: Fleet, results: Path, tmp_path: Path) -> None:
    ran = fleet("history", str(results), "--by", "kubernetes")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[1].split() == ["downsync", "one-to-one", "4", "1", *ran.out.splitlines()[1].split()[4:]]
    assert max(len(line) for line in ran.out.splitlines()) <= 80
    document = json.loads(fleet("history", str(results), "-o", "json", "--out", str(tmp_path / "h")).out)
    assert document["kind"] == "History"
    assert document["items"][0]["runs"][0]["run"] == RUN
    assert (tmp_path / "h" / "history.md").read_text().startswith("# History\n")
    assert json.loads((tmp_path / "h" / "history.json").read_text())["series"] == document["items"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "nowhere is not a folder"),
        ((".",), "holds no run that can be used"),
        (("RESULTS", "--by", "kubernets"), "did you mean `kubernetes`"),
        (("RESULTS", "--threshold", "5"), "--threshold"),
    ],
)
def test_wrong_input_is_exit_2(fleet: Fleet, results: Path, words: tuple[str, ...], said: str) -> None:
    ran = fleet("history", *(str(results) if word == "RESULTS" else word for word in words))
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
