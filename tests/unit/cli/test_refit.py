"""What a refit of a running fleet passes to `fleet up`: the very fleet, but for what shall change."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.cli.recorded import GIVEN
from fleet.cli.refit import FleetUp, variables
from fleet.errors import FleetError
from fleet.experiment.reconfigure import OWN, Nodes, Release
from fleet.model.fleet_file import FleetFile, ManagerOf
from fleet.model.link import Link
from fleet.model.variables import Variables
from tests.unit.report.made import fleet_file

SET = {
    "wec_count": 4,
    "control_plane_apiserver_extra_args": ["--max-requests-inflight=401"],
    "control_plane_ports": {"wec001": 17001},
    "control_plane_overrides": {"its1": {"etcd_env": {"GOGC": "50"}}},
    "status_agent_parity": False,
    "hub_transport_env": {"GOGC": "50"},
}


def recorded(**more: object) -> FleetFile:
    """A fleet that was built with -e."""
    values = Variables.model_validate({**SET, **more}).recorded()
    return fleet_file(4).model_copy(update={"variables": values, "given": SET})


def test_what_was_given_survives_a_refit() -> None:
    told = variables(recorded(), {"transport_its_qps": 50.0})
    assert {name: told[name] for name in SET} == SET
    assert (told["transport_its_qps"], told["transport_wds_qps"]) == (50, 5.0)
    assert told["fleet_name"] == "fleet"
    assert told[GIVEN] == SET


def test_links_and_served_wdses_change_alone() -> None:
    fleet = recorded(wan={"rtt": "0ms"})
    assert variables(fleet, {})["wan"] == {"rtt": "0s"}
    assert variables(fleet, {}, Link(rtt=0.04, rate=50e6))["wan"] == {"rtt": "40ms", "rate": "50mbit"}
    assert variables(fleet, {}, serving=2)["wds_serving"] == 2


def test_nodes_change_alone() -> None:
    told = variables(recorded(), {}, nodes=Nodes("hollow", 40))
    assert (told["node_simulator"], told["wec_nodes"]) == ("hollow", 40)
    assert told[GIVEN] == SET, "what -e has given stays: the next `fleet up` builds the fleet's own nodes"


def test_the_release_of_the_manager_changes_alone() -> None:
    fleet = recorded(manager="ocm", manager_version="v1.0.0")
    own = variables(fleet, {})
    assert (own["manager_version"], own["manager_restart"]) == ("v1.0.0", "")
    other = variables(fleet, {}, release=Release("v1.2.0", restart="r-t001"))
    assert {name for name in own if own[name] != other[name]} == {"manager_version", "manager_restart"}
    assert (other["manager_version"], other["manager_restart"]) == ("v1.2.0", "r-t001")


def test_a_manager_that_always_serves_all_has_no_variable_for_it() -> None:
    fleet = recorded().model_copy(update={"manager": ManagerOf(name="ocm", source="hub", transport="hub")})
    assert variables(fleet, {}, serving=7) == variables(fleet, {})


def test_a_file_of_an_older_release_tells_what_it_can() -> None:
    fleet = fleet_file(4)
    told = variables(fleet, {**fleet.limits, "transport_its_qps": 50.0})
    assert (told["fleet_name"], told["wec_count"], told["control_plane_driver"]) == (fleet.name, 4, "dense")
    assert (told["transport_its_qps"], told["transport_wds_qps"], told["max_num_wrapped"]) == (50, 5, 1)
    # What would be lost, and its programs restarted, if it were not said again.
    assert (told["control_plane_debug"], told["monitoring_enabled"], told["wec_prefix"]) == (False, False, "wec")
    assert "wan" not in told
    linked = fleet.model_copy(update={"machines": [m.model_copy(update={"wan": Link()}) for m in fleet.machines]})
    assert variables(linked, {"transport_its_qps": 50.0})["wan"] == {"rtt": "0s"}


async def test_after_a_failed_change_all_is_played_again(tmp_path: Path) -> None:
    played: list[str] = []
    ends = [1, 0, 0, 0, 0, 0]

    class Played(FleetUp):
        async def _play(self, variables_file: Path, tags: str) -> tuple[str, int]:  # noqa: ARG002
            played.append(tags)
            return "no room", ends[len(played) - 1]

    refit = Played(recorded(), tmp_path)
    limits = dict(recorded().limits)
    with pytest.raises(FleetError, match="ended with 1:\nno room"):
        await refit(limits, Link(rtt=0.04), 1, None, OWN)
    await refit(limits, None, 1, None, OWN)
    await refit(limits, Link(rtt=0.04), 1, None, OWN)
    await refit(limits, Link(rtt=0.04), 2, None, OWN)
    await refit(limits, Link(rtt=0.04), 2, Nodes("hollow", 40), OWN)
    await refit(limits, Link(rtt=0.04), 2, Nodes("hollow", 40), Release(restart="again"))
    assert played == [
        "binaries,link,record", "", "binaries,link,record", "binaries,hub,record", "binaries,wecs,record",
        "binaries,hub,record",
    ]  # fmt: skip
