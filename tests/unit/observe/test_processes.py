"""The sampler measures this very process, and passes over what is not there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from fleet.model.fleet_file import Component, FleetFile, Machine
from fleet.observe.processes import Weigher, supervised
from tests.unit.model.fleets import kubestellar


def fleet(folder: Path) -> FleetFile:
    return FleetFile(
        name="f",
        created="2026-01-01T00:00:00Z",
        toolchain_digest="x",
        manager=kubestellar(),
        machines=[Machine(name="m", state_dir=str(folder)), Machine(name="far", connection="ssh", state_dir="/x")],
        clusters=[],
        components=[Component(program="dense.0", component="dense", machine="m")],
    )


def test_it_weighs_programs_that_run(tmp_path: Path) -> None:
    programs = {"dense.0": os.getpid(), "kwok.wec001": 2**22 + 1}  # above the kernel's largest pid
    weigher = Weigher(fleet(tmp_path), {"m": lambda: programs})
    (first,) = weigher.sample()
    (second,) = weigher.sample()
    assert (first.machine, first.program, first.component, first.cluster) == ("m", "dense.0", "dense", "")
    assert first.rss > 1_000_000
    assert first.fds > 0
    assert first.threads > 0
    assert second.cpu_seconds >= first.cpu_seconds > 0
    assert second.ns > first.ns


def test_the_supervisor_is_asked_again_once_a_program_is_missing_or_another(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    answers = [{"dense.0": other.pid}, {}, {"dense.0": os.getpid()}]
    weigher = Weigher(fleet(tmp_path), {"m": lambda: answers.pop(0)})
    first, same = weigher.sample(), weigher.sample()
    assert ([line.pid for line in (*first, *same)], len(answers)) == ([other.pid, other.pid], 2)
    other.communicate()
    assert (weigher.sample(), len(answers)) == ([], 1)
    back, still = weigher.sample(), weigher.sample()
    assert ([line.pid for line in (*back, *still)], answers) == ([os.getpid(), os.getpid()], [])


def test_a_program_that_the_fleet_file_does_not_know_is_named_by_its_own_name(tmp_path: Path) -> None:
    weigher = Weigher(fleet(tmp_path), {"m": lambda: {"kwok.wec001": os.getpid()}})
    (line,) = weigher.sample()
    assert (line.component, line.cluster) == ("kwok", "wec001")


def test_without_a_supervisor_there_is_nothing_to_weigh(tmp_path: Path) -> None:
    assert supervised(tmp_path)() == {}
    assert Weigher(fleet(tmp_path)).sample() == []
