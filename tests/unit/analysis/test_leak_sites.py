"""Allocation sites of a leak: the difference of two heap profiles, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.analysis.leak_sites import growing_sites, with_sites
from fleet.analysis.leaks import Leak
from fleet.analysis.pprof import read
from fleet.analysis.recorded import Recorded, record
from fleet.model.leak_rules import LeakRules
from fleet.results.events import Line, ProfileTaken, RunMark, TrialPlan
from fleet.results.format1_manager import MANAGER
from tests.unit.analysis.profile_maker import made

SECOND = 1_000_000_000
TYPES = [("alloc_space", "bytes"), ("inuse_space", "bytes")]
RULES = LeakRules(warmup=0.2)


def heap(stacks: dict[tuple[str, ...], int]) -> bytes:
    return made(TYPES, {stack: (2 * live, live) for stack, live in stacks.items()})


def leak(program: str = "status.wec001", quantity: str = "resident memory", verdict: str = "leaking") -> Leak:
    return Leak(
        program=program, quantity=quantity, unit="MiB", verdict=verdict, reason="+50.0% in 100 s, p 0.001", level=10,
        last=15, per_hour=180, low=170, high=190,
    )  # fmt: skip


def taken(folder: Path, at: float, stacks: dict[tuple[str, ...], int], program: str = "status.wec001") -> ProfileTaken:
    file = folder / f"{program}-{at:g}.pb.gz"
    file.write_bytes(heap(stacks))
    return ProfileTaken(
        ns=round(at * SECOND), wall=0, machine="m", program=program, component="status", cluster="wec001", kind="heap",
        file=file.name,
    )  # fmt: skip


def run(*profiles: ProfileTaken) -> Recorded:
    """A load from 100 s to 200 s: its warm-up ends at 120 s."""
    plan = TrialPlan(
        ns=90 * SECOND, wall=0, trial="t000", layout="one-to-one", wecs=1, repeat=0, clusters=["wec001"], kind="pod"
    )
    edges = [
        RunMark(ns=at * SECOND, wall=0, step="load", edge=edge, trial="t000")
        for at, edge in ((100, "begin"), (200, "end"))
    ]
    lines: list[Line] = sorted([plan, *edges, *profiles], key=lambda line: line.ns)
    return record(lines, MANAGER, source="wds1", object_timeout=None)


def test_a_site_is_named_with_its_own_caller_where_gos_library_allocates() -> None:
    cache = ("k8s.io/client-go/tools/cache.(*store).Add", "main.main")
    base = heap({cache: 900, ("bytes.growSlice", "bytes.(*Buffer).Write", "example.org/agent.keep", "main.main"): 100})
    new = heap({
        cache: 800,
        ("bytes.growSlice", "bytes.(*Buffer).Write", "example.org/agent.keep", "main.main"): 2100,
        ("bytes.growSlice", "example.org/agent.keep", "main.main"): 48,
        ("main.small", "main.main"): 10,
        ("runtime.malg", "runtime.newproc1"): 5,
    })  # fmt: skip
    assert growing_sites(read(base), read(new), "inuse_space") == [
        ("bytes.growSlice for example.org/agent.keep", 2048),
        ("main.small", 10),
        ("runtime.malg", 5),
    ]


def test_a_leak_gets_the_sites_that_grew_after_the_warm_up(tmp_path: Path) -> None:
    keep, fill = ("main.keep", "main.main"), ("main.fill", "main.main")
    recorded = run(
        taken(tmp_path, 95, {keep: 1024}),
        taken(tmp_path, 130, {keep: 10 * 1024, fill: 500 * 1024}),
        taken(tmp_path, 200, {keep: 40 * 1024, fill: 500 * 1024}),
        taken(tmp_path, 230, {keep: 5 * 1024}),
        taken(tmp_path, 200, {keep: 999 * 1024}, program="other"),
    )
    (found,) = with_sites([leak()], tmp_path, recorded, RULES)
    assert found.sites == [("main.keep", 30 * 1024)]
    assert str(found).endswith("; +50.0% in 100 s, p 0.001; most in main.keep +30 KiB")


def test_with_one_profile_in_the_load_the_first_of_all_is_the_base(tmp_path: Path) -> None:
    keep = ("main.keep", "main.main")
    recorded = run(taken(tmp_path, 95, {keep: 1024}), taken(tmp_path, 199, {keep: 3 * 1024}))
    (found,) = with_sites([leak()], tmp_path, recorded, RULES)
    assert found.sites == [("main.keep", 2048)]


@pytest.mark.parametrize(
    "quiet", [leak(verdict="steady"), leak(quantity="descriptors"), leak(program="nobody")], ids=str
)
def test_what_has_no_profiles_or_does_not_leak_has_no_sites(quiet: Leak, tmp_path: Path) -> None:
    keep = ("main.keep", "main.main")
    recorded = run(taken(tmp_path, 130, {keep: 1024}), taken(tmp_path, 199, {keep: 3 * 1024}))
    assert with_sites([quiet], tmp_path, recorded, RULES) == [quiet]


def test_a_file_that_is_gone_leaves_the_leak_as_it_was(tmp_path: Path) -> None:
    recorded = run(taken(tmp_path, 130, {("main.keep",): 1024}), taken(tmp_path, 199, {("main.keep",): 4096}))
    (tmp_path / "status.wec001-199.pb.gz").unlink()
    assert with_sites([leak()], tmp_path, recorded, RULES) == [leak()]
