"""What a driver says of WECs that are not as upstream makes them."""

from __future__ import annotations

import pytest

from fleet.host.drivers.driver import driver_kind, driver_kinds
from fleet.model.variables import Variables


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"dense_sharing": True}, ["share what never changes"]),
        ({}, ["garbage collected at GOGC=40"]),
        ({"control_plane_env": {"GOGC": "100"}}, ["GOGC=100"]),
        ({"dense_sharing": False}, ["as upstream makes it (dense_sharing: false)"]),
        ({"dense_sharing": True, "dense_hibernate": "5m"}, ["asleep after", "without a connection"]),
    ],
)
def test_dense_says_what_is_shared(variables: dict[str, object], words: list[str]) -> None:
    said = driver_kind("dense").differs(Variables.model_validate(variables))
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize(("manager", "words"), [("none", "as upstream ships"), ("kubestellar", "GOGC=20")])
def test_process_wecs_are_small_under_a_manager_only(manager: str, words: str) -> None:
    assert words in driver_kind("process").differs(Variables(manager=manager))


@pytest.mark.parametrize("manager", ["none", "kubestellar"])
def test_the_percent_of_the_user_is_what_is_said(manager: str) -> None:
    said = driver_kind("process").differs(Variables(manager=manager, control_plane_env={"GOGC": "70"}))
    assert "GOGC=70" in said
    assert "GOGC=20" not in said


def test_no_other_driver_has_anything_to_say() -> None:
    assert [name for name in driver_kinds() if driver_kind(name).differs(Variables())] == ["dense", "process"]
