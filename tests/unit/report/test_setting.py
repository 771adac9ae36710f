"""Every report says how much of the WECs is not as upstream makes them."""

from pathlib import Path
from typing import Any

from fleet.analysis.comparable import differences
from fleet.analysis.study import Study, analyse
from fleet.report.setting import facts
from tests.unit.report.made import fleet_file, run_record, simulated, write_run


def _study(root: Path, **variables: Any) -> Study:
    record = run_record("r", 2)
    fleet = fleet_file(2).model_copy(update={"variables": variables})
    folder = write_run(root, simulated([1], repeats=1).ordered(), record.model_copy(update={"fleet": fleet}))
    return analyse(folder)


def test_a_report_says_what_wecs_share(tmp_path: Path) -> None:
    record = run_record("r", 2)
    fleet = fleet_file(2).model_copy(update={"wec_differs": "each as upstream makes it"})
    folder = write_run(tmp_path, simulated([1], repeats=1).ordered(), record.model_copy(update={"fleet": fleet}))
    assert dict(facts(analyse(folder)))["WECs"] == "each as upstream makes it"


def test_a_record_from_before_says_nothing_of_it(tmp_path: Path) -> None:
    assert "WECs" not in dict(facts(_study(tmp_path)))


def test_a_comparison_names_it_and_is_not_refused(tmp_path: Path) -> None:
    one, two = _study(tmp_path / "a", dense_sharing=True), _study(tmp_path / "b", dense_sharing=False)
    (found,) = [d for d in differences(one, two) if d.field == "fleet.dense_sharing"]
    assert (found.a, found.b, found.blocks) == ("True", "False", False)
