"""CPU of others, worked out by hand from a few samples."""

from __future__ import annotations

import pytest

from fleet.analysis.cpu_contention import Neighbours, neighbours
from fleet.analysis.quality import judge
from fleet.analysis.recorded import record
from fleet.results.events import HostSample, Line, ProcessSample, RunMark, TrialPlan
from fleet.results.format1_manager import MANAGER
from tests.unit.report.made import run_record

SECOND = 1_000_000_000


def trial(at: int, name: str, repeat: int = 0) -> list[Line]:
    """A trial whose load takes 10 s from `at` on."""
    stamps = {"ns": at * SECOND, "wall": 0}
    return [
        TrialPlan(**stamps, trial=name, layout="one-to-many", wecs=1, repeat=repeat, clusters=[], kind="pod"),
        RunMark(**stamps, step="load", edge="begin", trial=name),
        RunMark(ns=(at + 10) * SECOND, wall=0, step="drain", edge="end", trial=name),
    ]


def host(at: int, busy: float, stolen: float = 0.0, harness: float = 0.0, machine: str = "m1") -> HostSample:
    return HostSample(ns=at * SECOND, wall=0, host="boot", machines=[machine], cores=2, busy_seconds=busy,
                      stolen_seconds=stolen, harness_seconds=harness)  # fmt: skip


def program(at: int, cpu: float, pid: int = 1, machine: str = "m1") -> ProcessSample:
    return ProcessSample(ns=at * SECOND, wall=0, machine=machine, program=f"p{pid}", component="p", cluster="", pid=pid,
                         cpu_seconds=cpu, rss=1)  # fmt: skip


def found(*lines: Line) -> list[Neighbours]:
    return neighbours(record(lines, MANAGER, source="wds1", object_timeout=600))


def test_what_neither_the_fleet_nor_the_driver_took_was_others() -> None:
    # 20 s of CPU time in the trial; 16 busy, 7 of them the program's, 3 the driver's: 6 are left, and 1 was stolen.
    (one,) = found(
        *trial(100, "a"),
        program(99, 5), host(99, 1000, stolen=50, harness=10),
        program(109, 12), host(109, 1016, stolen=51, harness=13),
    )  # fmt: skip
    assert one == Neighbours(("m1",), pytest.approx(0.30), pytest.approx(0.05), pytest.approx(0.35), "a")


def test_a_program_that_began_meanwhile_is_the_fleets_from_its_first_second_on() -> None:
    (one,) = found(*trial(100, "a"), host(99, 1000), program(109, 4, pid=2), host(109, 1004))
    assert one.others == 0


def test_machines_that_share_a_host_are_one() -> None:
    (one,) = found(
        *trial(100, "a"),
        program(99, 0), host(99, 1000), program(99, 0, machine="m2"), host(99, 1000, machine="m2"),
        program(109, 6), host(109, 1014, harness=1),
        program(109, 3, machine="m2"), host(109, 1014, harness=1, machine="m2"),
    )  # fmt: skip
    assert one.machines == ("m1", "m2")
    assert one.others == pytest.approx((14 - 6 - 3 - 2) / 20)


def test_warm_up_does_not_count_and_one_sample_tells_nothing() -> None:
    assert found(*trial(100, "a", repeat=-1), host(99, 0), host(109, 20)) == []
    assert found(*trial(100, "a"), host(99, 0)) == []


def test_the_verdict_warns_of_them() -> None:
    recorded = record(
        [*trial(100, "a"), host(99, 1000), host(109, 1010, stolen=1)], MANAGER, source="wds1", object_timeout=600
    )
    made = judge(run_record("x", 1), recorded, [])
    (told,) = made.warnings
    assert told.startswith("programs outside of the fleet took 50% and the hypervisor 5% of the CPU of m1 while")
    assert "(most in trial a, 55%)" in told
    quiet = record([*trial(100, "a"), host(99, 1000), host(109, 1001)], MANAGER, source="wds1", object_timeout=600)
    assert judge(run_record("x", 1), quiet, []).warnings == ()
