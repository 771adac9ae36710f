from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.analysis.pprof import Cost, Profile, SampleType, Stack, difference, growing, read, top
from fleet.errors import UsageError

GO = shutil.which("go")
needs_go = pytest.mark.skipif(GO is None, reason="Go is not on this machine: nothing to compare the reader with")
SOURCE = Path(__file__).with_name("leaker.go")


@pytest.fixture(scope="session")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with old, new and goroutine profiles, made by a Go program of ours."""
    folder = tmp_path_factory.mktemp("profiles")
    shutil.copy(SOURCE, folder / "main.go")
    (folder / "go.mod").write_text("module leaker\n\ngo 1.21\n")
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOWORK": "off"}
    subprocess.run([str(GO), "run", ".", str(folder)], cwd=folder, env=environment, check=True, timeout=300)
    return folder


def pprof(*words: str) -> str:
    return subprocess.run(
        [str(GO), "tool", "pprof", *words], check=True, capture_output=True, text=True, timeout=120
    ).stdout


_ROW = re.compile(r"^ *(-?\d+)B? +-?[\d.]+% +-?[\d.]+% +(-?\d+)B? +-?[\d.]+% +(\S.*?)(?: \((?:partial-)?inline\))?$")


def upstream_top(sample_type: str, *files: str) -> dict[str, tuple[int, int]]:
    """Function -> flat, cum as `go tool pprof -top` prints them, nothing trimmed."""
    every = ["-top", "-nodefraction=0", "-edgefraction=0", "-nodecount=1000000", "-unit=B"]
    text = pprof(*every, f"-sample_index={sample_type}", *files)
    rows = [match for line in text.partition("cum%")[2].splitlines() if (match := _ROW.match(line))]
    assert len(rows) == len([line for line in text.partition("cum%")[2].splitlines() if line.strip()])
    return {row[3]: (int(row[1]), int(row[2])) for row in rows if (row[1], row[2]) != ("0", "0")}


def ours(profile: Profile, sample_type: str) -> dict[str, tuple[int, int]]:
    return {cost.function: (cost.flat, cost.cumulative) for cost in top(profile, sample_type)}


@needs_go
@pytest.mark.parametrize("sample_type", ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"])
def test_top_of_a_heap_profile_is_that_of_go_tool_pprof(profiles: Path, sample_type: str) -> None:
    for name in ("old.pb.gz", "new.pb.gz"):
        assert ours(read((profiles / name).read_bytes()), sample_type) == upstream_top(
            sample_type, str(profiles / name)
        )


@needs_go
def test_top_of_a_goroutine_profile_is_that_of_go_tool_pprof(profiles: Path) -> None:
    path = profiles / "goroutine.pb.gz"
    found = ours(read(path.read_bytes()), "goroutine")
    assert found == upstream_top("goroutine", str(path))
    assert found["main.main.func1"] == (0, 7)


@needs_go
@pytest.mark.parametrize("sample_type", ["alloc_space", "inuse_space", "inuse_objects"])
def test_the_difference_is_that_of_go_tool_pprof(profiles: Path, sample_type: str) -> None:
    old, new = profiles / "old.pb.gz", profiles / "new.pb.gz"
    found = difference(read(old.read_bytes()), read(new.read_bytes()))
    assert ours(found, sample_type) == upstream_top(sample_type, f"-diff_base={old}", str(new))


@needs_go
def test_samples_are_those_of_the_raw_listing(profiles: Path) -> None:
    """Values line by line, types and the number of locations per stack; names come from the listing of locations."""
    path = profiles / "new.pb.gz"
    text, profile = pprof("-raw", str(path)), read(path.read_bytes())
    body, _, rest = text.partition("Samples:\n")[2].partition("Locations\n")
    head, *lines = body.splitlines()
    assert head.replace("[dflt]", "").split() == [f"{kind.type}/{kind.unit}" for kind in profile.sample_types]
    names: dict[str, list[str]] = {}
    for line in rest.partition("Mappings\n")[0].splitlines():
        match = re.match(r"^ +(\d+): 0x[0-9a-f]+ M=\d+ (\S+) ", line)
        if match:
            current = names.setdefault(match[1], [])
            current.append(match[2])
        else:
            current.append(line.split()[0])
    listed = []
    for line in lines:
        values, colon, locations = line.partition(": ")
        if colon and all(word.lstrip("-").isdigit() for word in values.split()):
            stack = tuple(name for location in locations.split() for name in names[location])
            listed.append((stack, tuple(int(value) for value in values.split())))
    assert sorted(listed) == sorted((stack.functions, stack.values) for stack in profile.stacks)


@needs_go
def test_the_leak_is_named(profiles: Path) -> None:
    old, new = (read((profiles / name).read_bytes()) for name in ("old.pb.gz", "new.pb.gz"))
    assert new.time_ns > old.time_ns
    first, second, *_ = growing(old, new, "inuse_space")
    assert first.function == "main.leak"
    assert 2_000_000 < first.flat < 2_200_000
    assert second.function == "main.inlined"


def made(*stacks: tuple[str, tuple[int, ...]]) -> Profile:
    """Stacks written leaf first as `c<b<a`."""
    types = (SampleType("objects", "count"), SampleType("space", "bytes"))
    return Profile(types, [Stack(tuple(text.split("<")), values) for text, values in stacks])


def test_flat_and_cumulative_by_hand() -> None:
    """f calls itself: it counts once in the cumulative value of each stack."""
    profile = made(("f<f<main", (1, 100)), ("g<f<main", (2, 50)), ("main", (1, 5)), ("idle", (0, 0)))
    assert top(profile, "space") == [Cost("f", 100, 150), Cost("g", 50, 50), Cost("main", 5, 155)]
    assert top(profile, "objects", 1) == [Cost("g", 2, 2)]
    assert top(profile)[0] == Cost("f", 100, 150)


def test_a_difference_by_hand() -> None:
    old = made(("f<main", (1, 100)), ("g<main", (1, 10)), ("gone<main", (1, 7)))
    new = made(("f<main", (2, 180)), ("g<main", (1, 10)), ("new<main", (1, 30)))
    found = difference(old, new)
    assert {stack.functions[0]: stack.values for stack in found.stacks} == {
        "f": (1, 80),
        "new": (1, 30),
        "gone": (-1, -7),
    }
    assert growing(old, new) == [Cost("f", 80, 80), Cost("new", 30, 30)]
    with pytest.raises(UsageError, match="different sample types"):
        difference(Profile((SampleType("cpu", "nanoseconds"),), []), new)


def number(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def entry(field: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return number(field << 3) + number(value & (1 << 64) - 1)
    return number(field << 3 | 2) + number(len(value)) + value


def encoded(*, drop: int = 0) -> bytes:
    """One sample of -3 seen in leaf < dropped < main, by hand; numbers single and packed."""
    texts = ["", "cpu", "nanoseconds", "leaf", "dropped", "main", "drop.*"]
    parts = [entry(1, entry(1, 1) + entry(2, 2))]
    parts += [entry(2, entry(1, number(1) + number(2)) + entry(1, 3) + entry(2, -3))]
    parts += [entry(4, entry(1, i) + entry(4, entry(1, 10 + i))) for i in (1, 2, 3)]
    parts += [entry(5, entry(1, 10 + i) + entry(2, 2 + i)) for i in (1, 2, 3)]
    parts += [entry(6, text.encode()) for text in texts]
    parts += [entry(9, 1234), entry(7, drop)]
    return b"".join(parts)


def test_a_message_by_hand() -> None:
    profile = read(encoded())
    assert profile.sample_types == (SampleType("cpu", "nanoseconds"),)
    assert profile.stacks == [Stack(("leaf", "dropped", "main"), (-3,))]
    assert profile.time_ns == 1234
    assert read(gzip.compress(encoded())) == profile
    assert read(encoded(drop=6)).stacks == [Stack(("main",), (-3,))]


def outcome(data: bytes) -> str:
    """Read, or refused with a sentence; every other error escapes and fails the test."""
    try:
        read(data)
    except UsageError as error:
        return "refused" if "fetch it again" in str(error) else str(error)
    return "read"


@given(st.integers(0, 400))
def test_a_cut_profile_is_refused_or_shorter_but_never_a_crash(length: int) -> None:
    assert outcome(encoded()[:length]) in ("read", "refused")


@given(st.binary(max_size=200))
def test_rubbish_is_refused_with_a_sentence(data: bytes) -> None:
    assert outcome(data) in ("read", "refused")


@pytest.mark.parametrize("bad", [b"\x00", b"\x0b", b"\x0a\x05ab", b"\x09\x01", b"\x08" + b"\xff" * 11, b"\x08"])
def test_damage_on_the_wire_is_refused(bad: bytes) -> None:
    assert outcome(bad) == "refused"


def test_a_damaged_archive_is_refused() -> None:
    packed = bytearray(gzip.compress(encoded()))
    packed[12] ^= 0xFF
    assert outcome(bytes(packed)) == "refused"
    assert outcome(bytes(packed[:30])) == "refused"


def test_an_unknown_sample_type_names_those_there_are() -> None:
    with pytest.raises(UsageError, match="has no sample type 'cpu'; it has objects, space"):
        top(made(), "cpu")
