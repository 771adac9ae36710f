"""Whose CPU it was, worked out by hand from a few samples."""

from __future__ import annotations

import pytest

from fleet.analysis.cpu_over_time import cpu_over_time
from fleet.analysis.cpu_shares import OWNERS, CpuShare, cpu_shares, owner_of
from fleet.analysis.recorded import record
from fleet.report.cpu_split import sentence, table
from fleet.results.events import HostSample, Line, ProcessSample, RunMark, TrialPlan
from fleet.results.format1_manager import MANAGER
from tests.unit.report.made import fleet_file

SECOND = 1_000_000_000
ROLES = {"its1": "its", "wds1": "wds", "wec001": "wec"}


def trial(at: int, name: str, repeat: int = 0) -> list[Line]:
    """A trial whose load takes 10 s from `at` on."""
    stamps = {"ns": at * SECOND, "wall": 0}
    return [
        TrialPlan(**stamps, trial=name, layout="one-to-many", wecs=1, repeat=repeat, clusters=[], kind="pod"),
        RunMark(**stamps, step="load", edge="begin", trial=name),
        RunMark(ns=(at + 10) * SECOND, wall=0, step="drain", edge="end", trial=name),
    ]


def host(at: int, busy: float, driver: float, machine: str = "m") -> HostSample:
    return HostSample(ns=at * SECOND, wall=0, host="boot", machines=[machine], cores=4, busy_seconds=busy,
                      stolen_seconds=0, harness_seconds=driver)  # fmt: skip


def program(at: int, name: str, cpu: float, pid: int = 1) -> ProcessSample:
    component, _, cluster = name.partition(".")
    known = cluster if cluster in ROLES else ""
    return ProcessSample(ns=at * SECOND, wall=0, machine="m", program=name, component=component, cluster=known, pid=pid,
                         cpu_seconds=cpu, rss=1)  # fmt: skip


USED = {
    "kube-apiserver.its1": 3.0, "etcd.wds1": 1.0, "transport.wds1": 2.0, "ocm-agent.wec001": 1.0,
    "status-agent": 0.5, "dense.0": 6.0, "etcd.dense-0": 1.5, "kwok.wec001": 0.5, "prometheus": 0.5,
}  # fmt: skip
"""CPU seconds of one trial of 10 s."""


def shares(*lines: Line) -> dict[str, CpuShare]:
    recorded = record(sorted(lines, key=lambda line: line.ns), MANAGER, source="wds1", object_timeout=600)
    return {one.owner: one for one in cpu_shares(recorded, fleet_file(2), MANAGER)}


def one_trial(begin: int = 100) -> list[Line]:
    return [
        *trial(begin, f"t{begin}"),
        *(program(begin - 1, name, 50.0) for name in USED),
        *(program(begin + 9, name, 50.0 + cpu) for name, cpu in USED.items()),
        host(begin - 1, 1000.0, 7.0),
        host(begin + 9, 1020.0, 9.0),
    ]


def test_every_second_has_an_owner() -> None:
    found = shares(*one_trial())
    assert {owner: one.seconds for owner, one in found.items()} == {
        "hub control planes": 4.0, "manager": 2.0, "agents": 1.5, "emulated WECs": 8.0, "other programs": 0.5,
        "driver": 2.0, "outside": 2.0,
    }  # fmt: skip
    assert found["emulated WECs"].cores == pytest.approx(0.8)
    assert found["emulated WECs"].share == pytest.approx(8 / 20)
    assert sum(one.share for one in found.values()) == pytest.approx(1.0)


def test_a_program_that_was_started_again_is_counted_in_both_lives() -> None:
    again = [program(109, "kube-apiserver.its1", 4.0, pid=2)]
    assert shares(*one_trial(), *again)["hub control planes"].seconds == 8.0


def test_warm_ups_do_not_count_and_one_sample_tells_nothing() -> None:
    assert shares(*trial(100, "t"), program(99, "dense.0", 1.0), host(99, 1.0, 1.0)) == {}
    assert shares(*trial(100, "t", repeat=-1), host(99, 0.0, 0.0), host(109, 20.0, 1.0)) == {}


@pytest.mark.parametrize(
    ("name", "owner"),
    [("kube-scheduler.wec001", "emulated WECs"), ("kube-controller-manager.its1", "hub control planes"),
     ("controller-manager.wds1", "manager"), ("ocm-agent.wec001", "agents"),
     ("kwok.wec001", "emulated WECs"), ("link", "agents"), ("registration.its1", "manager"),
     ("node-exporter", "other programs"), ("anything", "other programs")],
)  # fmt: skip
def test_whose_a_program_is(name: str, owner: str) -> None:
    assert owner_of(program(1, name, 0.0), ROLES, MANAGER) == owner


def test_what_plays_the_nodes_of_many_wecs_is_emulation_where_the_fleet_file_says_so() -> None:
    players = program(1, "hollow.0", 0.0)
    assert owner_of(players, ROLES, MANAGER) == "other programs"
    assert owner_of(players, ROLES, MANAGER, {"hollow"}) == "emulated WECs"


def test_the_report_says_what_the_emulation_took() -> None:
    found = list(shares(*one_trial()).values())
    assert "2.00 cores were busy; 40% of that (0.80 cores) went into emulating the WECs" in sentence(found)
    assert ("emulated WECs", "0.80", "40%") in [row[:3] for row in table(found).rows]
    assert (sentence([]), table([]).rows) == ("", [])
    without_hub = [one for one in found if one.owner != "hub control planes"]
    assert sentence(without_hub).endswith(" cores were busy.")


def test_the_table_has_words_for_every_owner() -> None:
    shares = [CpuShare(owner=owner, cores=1.0, share=0.1, seconds=1.0) for owner in OWNERS]
    assert [row[0] for row in table(shares).rows] == list(OWNERS)


def test_over_time_the_emulation_stands_beside_the_system_under_test() -> None:
    """From the third second on, over 4 s: etcd of the hub half a core, dense a whole one, the driver a quarter."""
    lines = [
        *(program(at, "etcd.wds1", 1.0 + 0.5 * (at - 3)) for at in (3, 7)),
        *(program(at, "dense.0", 9.0 + (at - 3)) for at in (3, 7)),
        *(host(at, 0, 0.25 * (at - 3)) for at in (3, 7)),
        RunMark(ns=1, wall=0, step="prepare", edge="begin"),
    ]
    recorded = record(sorted(lines, key=lambda line: line.ns), MANAGER, source="wds1", object_timeout=600)
    found = cpu_over_time(recorded, fleet_file(2), MANAGER)
    cores = {side: [round(value, 6) for _, value in points] for side, points in found.items()}
    assert cores == {
        "system under test": [0, 0, 0, 0.5, 0.5, 0.5, 0.5],
        "emulation": [0, 0, 0, 1, 1, 1, 1],
        "driver": [0, 0, 0, 0.25, 0.25, 0.25, 0.25],
    }
    assert [at for at, _ in found["driver"]] == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5]
