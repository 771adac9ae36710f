"""What disturbs a run is in its verdict, named with time and trials; what `during` planned is distinguished."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from fleet.analysis.disturbances import RECOVERY_NS, disturbances, flagged
from fleet.analysis.quality import Verdict, judge
from fleet.analysis.recorded import Recorded, record
from fleet.results.events import (
    CertificateEnded,
    ClusterState,
    FaultHealed,
    FaultInjected,
    GapSeen,
    LeaderChanged,
    Line,
    MachineState,
    ProgramChanged,
    RunMark,
    WorkloadSeen,
)
from fleet.results.format1_manager import MANAGER
from tests.unit.analysis.simulator import MS, START_NS, START_WALL, Simulator
from tests.unit.report.made import run_record

SECOND = 1000 * MS
WECS = ["wec001", "wec002"]
IN_SECOND = SECOND
"""Into the first trial's span."""


def two_trials() -> list[Line]:
    """A counted trial at the beginning, then another; both with the marks of a run, the load at the trial's begin."""
    sim = Simulator()
    marks: list[Line] = []
    for _ in range(2):
        begin = sim.now
        name = sim.trial("one-to-many", WECS)
        stamps = {"wall": START_WALL, "trial": name}
        marks += [
            RunMark(ns=begin, step="load", edge="begin", **stamps),
            RunMark(ns=sim.now - 4 * SECOND, step="drain", edge="end", **stamps),
        ]
    return sorted([*sim.out.ordered(), *marks], key=lambda line: line.ns)


LINES = two_trials()
SECOND_TRIAL_NS = next(line.ns for line in LINES if isinstance(line, RunMark) and line.trial == "t001")
END_OF_FIRST_NS = next(line.ns for line in LINES if isinstance(line, RunMark) and line.edge == "end")


def read(*extra: Line) -> Recorded:
    lines = sorted([*LINES, *extra], key=lambda line: line.ns)
    return record(lines, MANAGER, source="wds1", object_timeout=600)


def verdict(*extra: Line) -> Verdict:
    recorded = read(*extra)
    return judge(run_record("x", 2), recorded, recorded.join.samples())


def flags(*extra: Line) -> dict[str, set[str]]:
    """Of each trial: the flags of this module that all of its samples have."""
    recorded = read(*extra)
    made = flagged(recorded.join.samples(), disturbances(recorded))
    ours = {"disturbed", "planned-fault"}
    return {
        trial: set.intersection(*(ours.intersection(s.flags) for s in made if s.trial == trial))
        for trial in ("t000", "t001")
    }


def stamps(at: int) -> dict[str, int]:
    return {"ns": at, "wall": START_WALL + at - START_NS}


def restarted(at: int, program: str = "etcd.its1", **changes: Any) -> ProgramChanged:
    """Seen `at`, a second after it had been started again."""
    fields = {"old_pid": 10, "new_pid": 11, "age_seconds": 1.0, "unseen_seconds": 3.0, "component": "etcd",
              "cluster": program.partition(".")[2]}  # fmt: skip
    return ProgramChanged(**stamps(at), machine="local", program=program, **{**fields, **changes})


def state(at: int, host: str = "boot", **fields: int) -> MachineState:
    return MachineState(**stamps(at), host=host, machines=["local"], **{"wall_ahead_ns": 5, "asleep_ns": 0, **fields})


def test_an_undisturbed_run_is_valid_and_flags_nothing() -> None:
    quiet = [state(START_NS - SECOND), state(START_NS + SECOND), state(SECOND_TRIAL_NS + SECOND)]
    assert verdict(*quiet) == Verdict("valid")
    assert flags(*quiet) == {"t000": set(), "t001": set()}


@pytest.mark.parametrize("program", ["etcd.its1", "transport.wds1", "dense.0", "ocm-agent.wec001", "kwok.wec002"])
def test_a_program_that_was_started_again_in_a_trial_makes_the_run_partial(program: str) -> None:
    died = restarted(START_NS + 3 * SECOND, program)
    made = verdict(died)
    assert made.status == "partial"
    count = sum(1 for sample in read(died).join.samples() if sample.trial == "t000")
    (told,) = made.reasons
    assert told == (
        f"{program} (machine local) ended and was started again (process 10, then 11) at 2.0 s, in trial t000: "
        f"{count} samples are flagged `disturbed`"
    )
    assert flags(died) == {"t000": {"disturbed"}, "t001": set()}


def test_one_that_was_seen_after_the_trial_belongs_to_the_trial_in_which_it_began() -> None:
    late = restarted(END_OF_FIRST_NS + SECOND, age_seconds=1.5)
    assert flags(late)["t000"] == {"disturbed"}


def test_between_trials_it_is_a_warning_and_of_a_reconfiguration_nothing() -> None:
    between = restarted(END_OF_FIRST_NS + 3 * SECOND)
    made = verdict(between)
    assert made.status == "valid"
    assert made.warnings[0].endswith("no counted trial was under way")
    step = [RunMark(**stamps(END_OF_FIRST_NS + edge * SECOND), step="reconfigure", edge=name)
            for edge, name in ((1, "begin"), (3, "end"))]  # fmt: skip
    assert verdict(between, *step) == Verdict("valid")


def test_a_program_that_a_reconfiguration_takes_away_is_nothing_even_if_it_is_missed_later() -> None:
    """As KubeStellar of a WDS that rests from then on."""
    step = [RunMark(**stamps(END_OF_FIRST_NS + edge * SECOND), step="reconfigure", edge=name)
            for edge, name in ((1, "begin"), (2, "end"))]  # fmt: skip
    gone = restarted(END_OF_FIRST_NS + 3 * SECOND, new_pid=0, age_seconds=0.0)
    assert verdict(gone, *step) == Verdict("valid")
    assert verdict(gone).status == "partial"


def test_a_program_that_stays_away_hits_every_trial_until_it_is_back() -> None:
    gone = restarted(START_NS + SECOND, new_pid=0, age_seconds=0.0)
    assert flags(gone) == {"t000": {"disturbed"}, "t001": {"disturbed"}}
    assert "and did not run for" in verdict(gone).reasons[0]
    assert "to the end" in verdict(gone).reasons[0]
    back = restarted(START_NS + 4 * SECOND, old_pid=0, age_seconds=1.0)
    assert flags(gone, back) == {"t000": {"disturbed"}, "t001": set()}
    assert "did not run for 2.0 s at 1.0 s, in trial t000" in verdict(gone, back).reasons[0]


def test_one_that_died_while_it_was_looked_at_is_a_restart() -> None:
    """The supervisor named the old process, the kernel knew it no more; the next look sees when the new one began."""
    gone = restarted(START_NS + 3 * SECOND, new_pid=0, age_seconds=0.0)
    back = restarted(START_NS + 7 * SECOND, old_pid=0, age_seconds=4.5)
    (told,) = verdict(gone, back).reasons
    assert told.startswith("etcd.its1 (machine local) ended and was started again (process 10, then 11) at 2.5 s, in ")
    assert flags(gone, back) == {"t000": {"disturbed"}, "t001": set()}


def test_a_restart_between_two_looks_that_span_a_whole_trial_hits_it() -> None:
    blind = restarted(SECOND_TRIAL_NS - SECOND, unseen_seconds=(SECOND_TRIAL_NS - START_NS) / SECOND, age_seconds=0.0)
    assert flags(blind)["t000"] == {"disturbed"}


def test_many_restarts_of_one_program_are_one_sentence() -> None:
    made = verdict(*(restarted(START_NS + at * SECOND // 2) for at in range(3, 9)))
    (told,) = made.reasons
    assert "6 times (at 0.5 s, 1.0 s, 1.5 s, 2.0 s, 2.5 s, 3.0 s), in trial t000" in told


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"wall_ahead_ns": 5 + 3 * SECOND}, "machine local had its clock set forward by 3.000 s"),
        ({"wall_ahead_ns": 5 - SECOND // 4}, "machine local had its clock set back by 0.250 s"),
        ({"wall_ahead_ns": 5 + 2 * SECOND, "asleep_ns": 2 * SECOND}, "machine local was suspended for 2.000 s"),
        ({"oom_kills": 1}, "machine local ran out of memory: the kernel killed 1 process at"),
        ({"pages_swapped": 5000}, "machine local moved 5000 pages from or to swap"),
        ({"memory_stalled_us": 800_000}, "machine local was short of memory: for 27% of the time every task"),
    ],
)
def test_what_happens_to_a_host_is_in_the_verdict(changed: dict[str, int], words: str) -> None:
    made = verdict(state(START_NS - SECOND), state(START_NS + 2 * SECOND, **changed))
    assert made.status == "partial"
    assert made.reasons[0].startswith(words)
    assert "in trial t000: " in made.reasons[0]


def test_a_slewed_clock_and_a_page_or_two_are_nothing() -> None:
    little = state(START_NS + SECOND, wall_ahead_ns=5 + MS, pages_swapped=20, memory_stalled_us=500, error_ns=900)
    assert verdict(state(START_NS - SECOND), little) == Verdict("valid")


def test_clocks_that_were_read_badly_accuse_nobody() -> None:
    unsure = state(START_NS + SECOND, wall_ahead_ns=5 + 40 * MS, error_ns=50 * MS)
    assert verdict(state(START_NS - SECOND), unsure) == Verdict("valid")


def test_machines_of_one_host_tell_it_once() -> None:
    other = {"machines": ["m2"]}
    first, then = state(START_NS - SECOND), state(START_NS + SECOND, wall_ahead_ns=5 + 3 * SECOND)
    made = verdict(first, then, *(msgspec.structs.replace(one, **other) for one in (first, then)))
    assert len(made.reasons) == 1
    assert made.reasons[0].startswith("machine local, m2 had its clock set forward")


def test_a_certificate_that_ran_out_hits_every_trial_after_it() -> None:
    at = SECOND_TRIAL_NS + SECOND
    ended = CertificateEnded(**stamps(at + SECOND), machine="local", file="hub/pki/x.crt", subject="CN=x",
                             ended_wall=START_WALL + at - START_NS)  # fmt: skip
    made = verdict(ended)
    assert made.reasons[0].startswith(
        "the certificate hub/pki/x.crt (CN=x; machine local) ran out and was not replaced"
    )
    assert flags(ended) == {"t000": set(), "t001": {"disturbed"}}


def test_a_leader_that_changed_is_in_the_verdict() -> None:
    moved = LeaderChanged(**stamps(START_NS + SECOND), cluster="its1", lease="ns/registration", old="a_1", new="b_2")
    (told,) = verdict(moved).reasons
    assert told.startswith("the lease ns/registration of its1 passed from a_1 to b_2 at 1.0 s, in trial t000: ")


def planned(healed: bool = True) -> list[Line]:
    """A stop of its1 from 1 s to 2 s of the first trial, as the driver says it."""
    fields = {"trial": "t000", "number": 0, "action": "stop", "target": "its1"}
    lines: list[Line] = [
        FaultInjected(**stamps(START_NS + SECOND), **fields, machine="local", clusters=["its1"], programs=["etcd.its1"])
    ]
    return [*lines, FaultHealed(**stamps(START_NS + 2 * SECOND), **fields)] if healed else lines


def consequences() -> list[Line]:
    gap = GapSeen(**stamps(START_NS + 2100 * MS), cluster="its1", resource="manifestworks",
                  start_ns=START_NS + 1100 * MS, reason="refused")  # fmt: skip
    down = ClusterState(**stamps(START_NS + 1100 * MS), cluster="its1", state="down")
    up = ClusterState(**stamps(START_NS + 2100 * MS), cluster="its1", state="up")
    return [gap, down, up, restarted(START_NS + 2500 * MS, age_seconds=0.8)]


def test_a_planned_fault_and_what_follows_from_it_leave_the_verdict_valid() -> None:
    made = verdict(*planned(), *consequences())
    assert (made.status, made.reasons) == ("valid", ())
    (told,) = made.planned
    assert told.startswith("planned: stop of its1 in trial t000, 1.0 s after its load began, for 1.0 s; its ")
    assert "samples are flagged `planned-fault`" in told
    assert told.endswith("; 1 program ended with it")
    assert flags(*planned(), *consequences()) == {"t000": {"planned-fault"}, "t001": set()}


def test_ends_inside_the_gap_that_it_made_are_told_not_held_against_the_run() -> None:
    def blind(line: Line) -> Line:
        seen = isinstance(line, WorkloadSeen) and line.cluster == "wec001" and line.ns < END_OF_FIRST_NS
        return msgspec.structs.replace(line, gap=True) if seen else line

    lines = [*map(blind, LINES), *planned(), *consequences()]
    recorded = record(sorted(lines, key=lambda line: line.ns), MANAGER, source="wds1", object_timeout=600)
    made = judge(run_record("x", 2), recorded, recorded.join.samples())
    assert made.status == "valid"
    assert "of them hold the time in which a watch was cut off by it" in made.planned[0]


def test_something_else_in_that_trial_still_counts() -> None:
    other = restarted(START_NS + 2500 * MS, "transport.wds1", age_seconds=0.8)
    made = verdict(*planned(), *consequences(), other)
    assert made.status == "partial"
    assert made.reasons[0].startswith("transport.wds1 (machine local) ended")
    assert flags(*planned(), other)["t000"] == {"planned-fault", "disturbed"}


@pytest.mark.parametrize(("cluster", "status"), [("its1", "valid"), ("wec001", "partial")])
def test_only_the_targets_own_absence_is_a_part_of_it(cluster: str, status: str) -> None:
    away: Sequence[Line] = [
        ClusterState(**stamps(START_NS + 1100 * MS), cluster=cluster, state="down"),
        ClusterState(**stamps(START_NS + 2100 * MS), cluster=cluster, state="up"),
    ]
    assert verdict(*planned(), *away).status == status


def test_the_same_program_long_after_it_was_healed_is_unplanned() -> None:
    later = restarted(START_NS + 2 * SECOND + RECOVERY_NS + SECOND, age_seconds=0.0)
    assert [one.planned for one in disturbances(read(*planned(), later)).found] == [False]


def test_one_that_was_not_healed_says_so() -> None:
    assert verdict(*planned(healed=False)).planned[0].endswith("; it was not healed")
