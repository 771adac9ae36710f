"""What a WEC takes follows the variables that have control planes, simulators and agents share processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.host.drivers.driver import driver_kind
from fleet.managers.installer import installer
from fleet.model.variables import Variables
from fleet.simulators.planned import weight_of


def test_control_planes_that_share_are_lighter() -> None:
    kind = driver_kind("dense")
    assert kind.weight(Variables()).memory < kind.weight(Variables(dense_sharing=False)).memory / 2


def test_of_control_planes_that_may_sleep_most_do() -> None:
    kind = driver_kind("dense")
    assert kind.weight(Variables(dense_hibernate="5m")).memory < kind.weight(Variables()).memory / 2


@pytest.mark.parametrize("manager", ["ocm", "kubestellar"])
def test_agents_of_one_process_are_lighter_unless_their_settings_keep_them_apart(manager: str) -> None:
    chosen = installer(manager)
    own = chosen.agent_weight(Variables())
    assert own == chosen.agent
    assert chosen.agent_weight(Variables(wec_programs="shared")).memory < own.memory / 2
    assert chosen.agent_weight(Variables(wec_programs="shared", ocm_agents_env={"GOGC": "100"})) == own


def test_agents_that_cannot_share_weigh_the_same() -> None:
    chosen = installer("karmada")
    assert chosen.agent_weight(Variables(wec_programs="shared")) == chosen.agent_weight(Variables())


def test_kwoks_of_one_process_are_lighter(tmp_path: Path) -> None:
    own, shared = (weight_of(Variables(wec_programs=how), tmp_path, 10).memory for how in ("own", "shared"))
    assert 0 < shared < own / 2
