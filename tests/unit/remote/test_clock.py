"""The offset is that of the shortest trip, wrong by at most half of it; a silent machine is named."""

from __future__ import annotations

import pytest

from fleet.errors import HostError
from fleet.model.fleet_file import FleetFile, Machine
from fleet.remote.clock import ROUNDS, Round, clocks, estimate, measure
from fleet.remote.shell import FakeShell
from tests.unit.model.fleets import kubestellar


def test_the_shortest_trip_wins() -> None:
    # Theirs is 1000 ahead. Trips of 90, 10 and 40 ns; the first was slow on the way back only.
    rounds = [Round(0, 1005, 90), Round(100, 1105, 110), Round(200, 1220, 240)]
    found = estimate("m2", rounds)
    assert (found.offset_ns, found.error_ns, found.rounds) == (1000, 5, 3)


def test_a_skewed_trip_is_within_its_error() -> None:
    # The true offset is 1000; all of the trip's 11 ns were on the way there.
    found = estimate("m2", [Round(0, 1011, 11)])
    assert (found.offset_ns, found.error_ns) == (1006, 6)
    assert abs(found.offset_ns - 1000) <= found.error_ns


def test_nothing_told_is_an_error() -> None:
    with pytest.raises(HostError, match="m2"):
        estimate("m2", [])


def test_every_question_but_the_first_counts() -> None:
    shell = FakeShell({"fleet.host.clock": "\n".join(["5"] * ROUNDS)})
    assert measure("m2", shell, "/py").rounds == ROUNDS - 1
    assert shell.ran == [("/py", "-m", "fleet.host.clock")]


def test_only_machines_over_ssh_are_asked_and_one_that_is_away_is_named() -> None:
    machines = [
        Machine(name="here", state_dir="/s"),
        Machine(name="m2", connection="ssh", address="10.0.0.2", state_dir="/s"),
    ]
    fleet = FleetFile(
        name="demo", created="now", toolchain_digest="d", manager=kubestellar(), machines=machines,
        clusters=[],
    )  # fmt: skip
    found = clocks(fleet, lambda machine: FakeShell({"fleet.host.clock": HostError(f"{machine.name} is not reached")}))
    assert [(clock.machine, clock.problem) for clock in found] == [("m2", "m2 is not reached")]
