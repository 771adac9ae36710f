"""The profiles of a run: what is read of them, and what is said of those that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.analysis.pprof import Stack, merged, read, total
from fleet.analysis.profiles import MOST_MERGED, NO_PROFILES, read_profiles
from fleet.errors import UsageError
from fleet.results.events import ProfileTaken
from tests.unit.analysis.profile_maker import cpu, heap


def line(
    number: int, file: str, *, kind: str = "heap", program: str = "transport.wds1", error: str = ""
) -> ProfileTaken:
    program = "transport.wds1"
    component, _, cluster = program.partition(".")
    return ProfileTaken(
        ns=number, wall=number, machine="m", program=program, component=component, cluster=cluster, kind=kind,
        file=file, error=error,
    )  # fmt: skip


def write(folder: Path, name: str, data: bytes) -> str:
    path = folder / "profiles" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return f"profiles/{name}"


def test_the_first_and_last_heap_tell_what_grew(tmp_path: Path) -> None:
    taken = [
        line(1, write(tmp_path, "t/1.pb.gz", heap(leak=100, cache=500))),
        line(2, "", error="timeout"),
        line(3, write(tmp_path, "t/3.pb.gz", heap(leak=350, cache=450))),
    ]
    (series,) = read_profiles(tmp_path, taken).series
    assert (series.size, series.growth, series.failed, len(series.taken), series.unit) == (800, 200, 1, 2, "bytes")
    assert series.costliest is not None
    assert (series.costliest.function, series.costliest.flat) == ("cache", 450)
    assert series.grown is not None
    assert (series.grown.function, series.grown.flat) == ("leak", 250)


def test_cpu_profiles_are_put_together(tmp_path: Path) -> None:
    taken = [
        line(number, write(tmp_path, f"t/{number}.pb.gz", cpu(work=10_000_000, idle=number * 1_000_000)), kind="cpu")
        for number in range(3)
    ]
    (series,) = read_profiles(tmp_path, taken).series
    assert (series.size, series.growth, series.grown) == (33_000_000, 0, None)
    assert series.last.duration_ns == 3_000_000_000


def test_of_many_cpu_profiles_evenly_spread_ones_are_read(tmp_path: Path) -> None:
    file = write(tmp_path, "t/1.pb.gz", cpu(work=10_000_000))
    (series,) = read_profiles(tmp_path, [line(number, file, kind="cpu") for number in range(100)]).series
    assert series.size == MOST_MERGED * 10_000_000


@pytest.mark.parametrize(
    ("file", "said"), [("profiles/t/9.pb.gz", "No such file"), ("../x", "leaves the run folder"), ("", "timeout")]
)
def test_what_cannot_be_read_is_told(tmp_path: Path, file: str, said: str) -> None:
    found = read_profiles(tmp_path, [line(1, file, error="" if file else "timeout")])
    assert not found.series
    assert said in found.unreadable[0]
    assert found.any
    assert not NO_PROFILES.any


def test_a_damaged_profile_is_told(tmp_path: Path) -> None:
    file = write(tmp_path, "t/1.pb.gz", heap(leak=1)[:20])
    assert "fetch it again" in read_profiles(tmp_path, [line(1, file)]).unreadable[0]


def test_merging_sums_stack_by_stack() -> None:
    one, two = read(heap(a=1, b=2)), read(heap(b=3))
    whole = merged([one, two])
    assert sorted(whole.stacks, key=lambda stack: stack.functions) == [
        Stack(("a", "main.main"), (2, 1)),
        Stack(("b", "main.main"), (10, 5)),
    ]
    assert total(whole, "inuse_space") == 6


def test_unlike_profiles_are_not_merged() -> None:
    with pytest.raises(UsageError, match="different sample types"):
        merged([read(heap(a=1)), read(cpu(a=1))])
    with pytest.raises(UsageError, match="no profile"):
        merged([])
