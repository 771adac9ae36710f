"""Profiles of another machine come back as they were served there; one that is away is an error in its place."""

from __future__ import annotations

import json
from base64 import b64encode

from fleet.errors import HostError
from fleet.model.fleet_file import Component, FleetFile, Machine
from fleet.observe.pprof_away import MODULE, fetch_everywhere
from fleet.observe.profiler import file_name
from fleet.remote.shell import FakeShell
from tests.unit.model.fleets import kubestellar

DENSE = Component(program="dense.0", component="dense", machine="m2", pprof="unix:/s/run/d.sock:/debug/pprof")
FLEET = FleetFile(
    name="f",
    created="2026-01-01T00:00:00Z",
    toolchain_digest="x",
    manager=kubestellar(),
    machines=[Machine(name="m2", connection="ssh", address="10.0.0.2", python="/py", state_dir="/s")],
    clusters=[],
    components=[DENSE],
)


async def test_it_is_fetched_there() -> None:
    answer = [{"program": "dense.0", "kind": "heap", "seconds": 0.5, "data": b64encode(b"profile").decode()}]
    shell = FakeShell({MODULE: json.dumps(answer)})
    (one,) = await fetch_everywhere(FLEET, [DENSE], ["heap"], connect=lambda _: shell)
    assert (one.component, one.kind, one.data, one.seconds, one.error) == (DENSE, "heap", b"profile", 0.5, "")
    assert file_name(one).startswith("m2/dense.0/heap-")
    assert shell.ran == [("/py", "-m", MODULE)]
    asked = json.loads(shell.said[0])
    assert (asked["kinds"], asked["seconds"]) == (["heap"], 10.0)
    assert [program["program"] for program in asked["programs"]] == ["dense.0"]


async def test_a_machine_that_is_away_is_told_for_each_program_and_kind() -> None:
    def connect(machine: Machine) -> FakeShell:
        return FakeShell({MODULE: HostError(f"machine {machine.name} is not reached")})

    found = await fetch_everywhere(FLEET, [DENSE], ["heap", "goroutine"], connect=connect)
    assert [(one.kind, one.error) for one in found] == [
        ("heap", "machine m2 is not reached"),
        ("goroutine", "machine m2 is not reached"),
    ]
