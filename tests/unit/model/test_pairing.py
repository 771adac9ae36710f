"""Which transport each source works with."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.model.fleet_file import FleetFile
from fleet.model.pairing import paired
from tests.unit.model.fleets import document
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
    assert [fleet.transport_of(wds) for wds in ("wds1", "wds2", "wds3")] == ["its1", "its1", ""]


def test_the_first_format_told_it_by_the_order_of_names(tmp_path: Path) -> None:
    data = document(tmp_path / "demo")
    data["clusters"] += [{**data["clusters"][0], "name": "its2"}, {**data["clusters"][1], "name": "wds2"}]
    fleet = FleetFile.model_validate(data)
    assert fleet.manager.transports == {"wds1": "its1", "wds2": "its2"}
    assert [cluster.name for cluster in fleet.hub()] == ["its1", "its2", "wds1", "wds2"]
    assert (fleet.manager.name, fleet.manager.facts["status_agent"]) == ("kubestellar", "fleet")
    assert fleet.limits == {}
