"""Every report says how much of the WECs is not as upstream makes them."""

from pathlib import Path
from typing import Any

import pytest

from fleet.analysis.comparable import differences
from fleet.analysis.study import Study, analyse
from fleet.report.setting import facts
from tests.unit.report.made import fleet_file, run_record, simulated, write_run


def _study(root: Path, **variables: Any) -> Study:
    record = run_record("r", 2)
    fleet = fleet_file(2).model_copy(update={"variables": variables})
    folder = write_run(root, simulated([1], repeats=1).ordered(), record.model_copy(update={"fleet": fleet}))
    return analyse(folder)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"dense_sharing": True, "wec_programs": "shared"}, ["share what never changes", "of many in one process"]),
        (
            {"dense_sharing": False, "wec_programs": "own"},
            ["as upstream makes it (dense_sharing: false)", "a process each"],
        ),
        ({"dense_sharing": True, "dense_hibernate": "5m"}, ["asleep after 5m without a connection"]),
    ],
)
def test_a_report_says_what_wecs_share(tmp_path: Path, variables: dict[str, Any], words: list[str]) -> None:
    said = dict(facts(_study(tmp_path, **variables)))["WECs"]
    assert [word for word in words if word not in said] == []


def test_a_record_from_before_says_nothing_of_it(tmp_path: Path) -> None:
    assert "WECs" not in dict(facts(_study(tmp_path)))


def test_a_comparison_names_it_and_is_not_refused(tmp_path: Path) -> None:
    one, two = _study(tmp_path / "a", dense_sharing=True), _study(tmp_path / "b", dense_sharing=False)
    (found,) = [d for d in differences(one, two) if d.field == "fleet.dense_sharing"]
    assert (found.a, found.b, found.blocks) == ("True", "False", False)
