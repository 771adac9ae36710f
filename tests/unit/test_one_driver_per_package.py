"""Outside a driver's own package no module names a driver of control planes: each is found by its folder."""

from __future__ import annotations

import re

import pytest

from fleet.errors import UsageError
from fleet.host.drivers.driver import driver_kind, driver_kinds
from fleet.model.variables import Variables
from tests.unit.mentions import mentions

NAMES = "|".join(driver_kinds())
WORDS = re.compile(
    rf"fleet\.host\.drivers\.({NAMES})\b"  # imports
    rf"|\bdriver\b[^#\n]*[\"']({NAMES})[\"']"  # driver == "dense", driver: "process", ...
    rf"|[({{\[][\"']({NAMES})[\"'], [\"']({NAMES}|existing)[\"']"  # lists of them
)
ALLOWED = {
    "model/variables.py": "defaults and texts of users' variables",
    "model/variable_rules.py": "which variables have an effect under which driver",
    "host/plan.py": "the default of a control plane, which the hub's have",
    "host/machine.py": "how a command of a container engine is run",
    "observe/program_changes.py": "asks dense processes which of their control planes were started again",
    "faults/stop.py": "a dense process is shared by control planes",
    "testing/": "fakes",
}
"""Path or folder, and why."""


def test_no_module_names_a_driver() -> None:
    found = mentions(WORDS, rf"host/drivers/({NAMES})/", ALLOWED)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "line",
    [
        "from fleet.host.drivers.dense.driver import DenseDriver",
        'if cluster.driver == "dense":',
        'BUILT = frozenset({"dense", "process"})',
    ],
)
def test_what_names_one_is_found(line: str) -> None:
    assert WORDS.search(line)


def test_each_driver_is_its_package() -> None:
    assert driver_kinds() == ["dense", "kind", "process"]
    assert [name for name in driver_kinds() if driver_kind(name).of_hub] == ["process"]
    assert all(driver_kind(name).weight(Variables()).memory > 0 for name in driver_kinds())
    with pytest.raises(UsageError, match="control_plane_driver: 'vm' is not one of dense, kind, process"):
        driver_kind("vm")
