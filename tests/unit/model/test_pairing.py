"""Which ITS each WDS works with."""

from __future__ import annotations

import pytest

from fleet.model.pairing import paired
from tests.unit.report.made import fleet_file

WDSES = ["wds1", "wds2", "wds3"]


@pytest.mark.parametrize(
    ("itses", "expected"),
    [
        ([], {}),
        (["its1"], {"wds1": "its1", "wds2": "its1", "wds3": "its1"}),
        (["its1", "its2"], {"wds1": "its1", "wds2": "its2", "wds3": "its1"}),
        (["its1", "its2", "its3"], {"wds1": "its1", "wds2": "its2", "wds3": "its3"}),
    ],
)
def test_wdses_take_the_itses_in_turn(itses: list[str], expected: dict[str, str]) -> None:
    assert paired(WDSES, itses) == expected


def test_a_fleet_file_tells_it_by_name() -> None:
    fleet = fleet_file(1, wdses=2)
    assert [fleet.its_of(wds) for wds in ("wds1", "wds2", "wds3")] == ["its1", "its1", ""]
    more = fleet.clusters[0].model_copy(update={"name": "its2"})
    assert fleet.model_copy(update={"clusters": [more, *fleet.clusters]}).its_of("wds2") == "its2"
