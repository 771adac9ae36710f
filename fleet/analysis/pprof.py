"""Profiles of Go programs (gzip'd profile.proto): samples with their stacks, and the functions that cost most."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fleet.analysis.profile_proto import profile_class
from fleet.errors import UsageError

MOST_BYTES = 256 << 20
"""A profile that unpacks to more is refused: none of a control plane has come near a tenth of it."""


@dataclass(frozen=True, slots=True)
class SampleType:
    """What the numbers of a sample are: `inuse_space` in `bytes`, `samples` in `count`."""

    type: str
    unit: str


@dataclass(frozen=True, slots=True)
class Stack:
    """One sample: functions from the leaf to the root, inlined ones included, and a value per sample type."""

    functions: tuple[str, ...]
    values: tuple[int, ...]


@dataclass(frozen=True)
class Profile:
    """One profile, or the difference of two."""

    sample_types: tuple[SampleType, ...]
    stacks: Sequence[Stack]
    time_ns: int = 0
    """Unix time of its making."""
    duration_ns: int = 0
    default_type: str = ""

    def index(self, name: str = "") -> int:
        """Position of a sample type; empty for the profile's own default, else the last. UsageError when unknown."""
        names = [kind.type for kind in self.sample_types]
        wanted = name or self.default_type
        if wanted in names:
            return names.index(wanted)
        if name or not names:
            raise UsageError(f"the profile has no sample type {name!r}; it has {', '.join(names) or 'none'}")
        return len(names) - 1


@dataclass(frozen=True, slots=True)
class Cost:
    """What one function costs."""

    function: str
    flat: int
    """In the function itself."""
    cumulative: int
    """With everything that it called; a function that calls itself counts once."""


def read(data: bytes) -> Profile:
    """A profile as a Go program serves it, gzip'd or not. UsageError when it is damaged."""
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - see profile_class

    try:
        return _resolved(profile_class().FromString(_unpacked(data)))
    except (DecodeError, ValueError, IndexError, KeyError, EOFError, OSError, zlib.error) as error:
        raise UsageError(f"the profile cannot be read: {error}; fetch it again") from error


def top(profile: Profile, sample_type: str = "", count: int | None = None) -> list[Cost]:
    """Functions by flat value (largest size first, then name); those that are nought in both are left out."""
    index = profile.index(sample_type)
    flat: defaultdict[str, int] = defaultdict(int)
    cumulative: defaultdict[str, int] = defaultdict(int)
    for stack in profile.stacks:
        value = stack.values[index]
        if value == 0 or not stack.functions:
            continue
        flat[stack.functions[0]] += value
        for function in set(stack.functions):
            cumulative[function] += value
    costs = [Cost(name, flat.get(name, 0), total) for name, total in cumulative.items()]
    ranked = sorted(costs, key=lambda cost: (-abs(cost.flat), -abs(cost.cumulative), cost.function))
    return [cost for cost in ranked if cost.flat or cost.cumulative][:count]


def difference(base: Profile, new: Profile) -> Profile:
    """What `new` has more than `base`, stack by stack; values may be negative. UsageError for unlike profiles."""
    stacks = _summed([(1, new), (-1, base)])
    return Profile(new.sample_types, stacks, new.time_ns, new.time_ns - base.time_ns, new.default_type)


def merged(profiles: Sequence[Profile]) -> Profile:
    """All of them together, as one long profile. UsageError for none, or for unlike ones."""
    if not profiles:
        raise UsageError("there is no profile to put together")
    stacks = _summed([(1, profile) for profile in profiles])
    duration = sum(profile.duration_ns for profile in profiles)
    return replace(profiles[0], stacks=stacks, duration_ns=duration)


def _summed(profiles: Sequence[tuple[int, Profile]]) -> list[Stack]:
    """Stack by stack, each profile with its sign; stacks that sum to nothing are left out."""
    types = profiles[0][1].sample_types
    if any(profile.sample_types != types for _, profile in profiles):
        raise UsageError("the profiles have different sample types; take two of a kind")
    kinds = range(len(types))
    sums: defaultdict[tuple[str, ...], list[int]] = defaultdict(lambda: [0 for _ in kinds])
    for sign, profile in profiles:
        for stack in profile.stacks:
            values = sums[stack.functions]
            for index in kinds:
                values[index] += sign * stack.values[index]
    return [Stack(functions, tuple(values)) for functions, values in sums.items() if any(values)]


def total(profile: Profile, sample_type: str = "") -> int:
    """The sum over all stacks."""
    index = profile.index(sample_type)
    return sum(stack.values[index] for stack in profile.stacks)


def growing(base: Profile, new: Profile, sample_type: str = "", count: int = 10) -> list[Cost]:
    """The functions whose own value grew most, largest first: where a leak allocates."""
    return [cost for cost in top(difference(base, new), sample_type) if cost.flat > 0][:count]


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return data
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        unpacked = file.read(MOST_BYTES + 1)
    if len(unpacked) > MOST_BYTES:
        raise ValueError(f"it unpacks to more than {MOST_BYTES >> 20} MiB")
    return unpacked


def _resolved(raw: Any) -> Profile:
    """The message with positions in its string table replaced by the texts."""
    texts = [text.decode(errors="replace") for text in raw.string_table]
    names = {function.id: texts[function.name] for function in raw.function}
    by_location = {
        location.id: tuple(names[line.function_id] for line in location.line) or (f"location {location.id}",)
        for location in raw.location
    }
    drop, keep = texts[raw.drop_frames], texts[raw.keep_frames]
    stacks = []
    for sample in raw.sample:
        if len(sample.value) != len(raw.sample_type):
            raise ValueError(f"a sample of {len(sample.value)} values among {len(raw.sample_type)} types")
        frames = _pruned([by_location[location] for location in sample.location_id], drop, keep)
        stacks.append(Stack(tuple(name for frame in frames for name in frame), tuple(sample.value)))
    types = tuple(SampleType(texts[kind.type], texts[kind.unit]) for kind in raw.sample_type)
    return Profile(types, stacks, raw.time_nanos, raw.duration_nanos, texts[raw.default_sample_type])


def _pruned(frames: list[tuple[str, ...]], drop: str, keep: str) -> Iterable[tuple[str, ...]]:
    """Without the outermost dropped frame and all that it called, if the profile requests that."""
    if not drop:
        return frames
    for position in range(len(frames) - 1, -1, -1):
        dropped = any(re.fullmatch(drop, name) for name in frames[position])
        if dropped and not (keep and any(re.fullmatch(keep, name) for name in frames[position])):
            return frames[position + 1 :]
    return frames
