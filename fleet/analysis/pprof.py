"""Profiles of Go programs (gzip'd profile.proto): samples with their stacks, and the functions that cost most.

The fields and their numbers are those of the format's published description (google/pprof, proto/profile.proto).
"""

from __future__ import annotations

import gzip
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from fleet.analysis.wire import fields, numbers, signed
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


@dataclass(slots=True)
class _Raw:
    """The message as it stands, texts still as positions in the string table."""

    types: list[tuple[int, int]] = field(default_factory=list)
    samples: list[tuple[list[int], list[int]]] = field(default_factory=list)
    lines: dict[int, list[int]] = field(default_factory=dict)
    """Location -> functions, innermost first."""
    names: dict[int, int] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    drop: int = 0
    keep: int = 0
    time_ns: int = 0
    duration_ns: int = 0
    default_type: int = 0


def read(data: bytes) -> Profile:
    """A profile as a Go program serves it, gzip'd or not. UsageError when it is damaged."""
    try:
        raw = _parse(_unpacked(data))
        return _resolved(raw)
    except (ValueError, IndexError, KeyError, EOFError, OSError) as error:
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


def _parse(data: bytes) -> _Raw:
    raw = _Raw()
    scalars = {7: "drop", 8: "keep", 9: "time_ns", 10: "duration_ns", 14: "default_type"}
    for number, value in fields(data):
        if number in scalars:
            setattr(raw, scalars[number], _int(value))
        elif number == 1:
            kind = dict(fields(_bytes(value)))
            raw.types.append((_int(kind.get(1, 0)), _int(kind.get(2, 0))))
        elif number == 2:  # noqa: PLR2004 - numbers of the published description, here and below
            raw.samples.append(_sample(_bytes(value)))
        elif number == 4:  # noqa: PLR2004
            identity, functions = _location(_bytes(value))
            raw.lines[identity] = functions
        elif number == 5:  # noqa: PLR2004
            function = dict(fields(_bytes(value)))
            raw.names[_int(function.get(1, 0))] = _int(function.get(2, 0))
        elif number == 6:  # noqa: PLR2004
            raw.texts.append(_bytes(value).decode(errors="replace"))
    return raw


def _sample(data: bytes) -> tuple[list[int], list[int]]:
    locations: list[int] = []
    values: list[int] = []
    for number, value in fields(data):
        if number == 1:
            locations += numbers(value)
        elif number == 2:  # noqa: PLR2004
            values += [signed(one) for one in numbers(value)]
    return locations, values


def _location(data: bytes) -> tuple[int, list[int]]:
    identity, functions = 0, []
    for number, value in fields(data):
        if number == 1:
            identity = _int(value)
        elif number == 4:  # noqa: PLR2004
            functions.append(_int(dict(fields(_bytes(value))).get(1, 0)))
    return identity, functions


def _resolved(raw: _Raw) -> Profile:
    names = {identity: raw.texts[text] for identity, text in raw.names.items()}
    by_location = {
        location: tuple(names[function] for function in functions) or (f"location {location}",)
        for location, functions in raw.lines.items()
    }
    drop, keep = raw.texts[raw.drop], raw.texts[raw.keep]
    stacks = []
    for locations, values in raw.samples:
        if len(values) != len(raw.types):
            raise ValueError(f"a sample of {len(values)} values among {len(raw.types)} types")
        frames = _pruned([by_location[location] for location in locations], drop, keep)
        stacks.append(Stack(tuple(name for frame in frames for name in frame), tuple(values)))
    types = tuple(SampleType(raw.texts[kind], raw.texts[unit]) for kind, unit in raw.types)
    return Profile(types, stacks, signed(raw.time_ns), signed(raw.duration_ns), raw.texts[raw.default_type])


def _pruned(frames: list[tuple[str, ...]], drop: str, keep: str) -> Iterable[tuple[str, ...]]:
    """Without the outermost dropped frame and all that it called, if the profile asks for that."""
    if not drop:
        return frames
    for position in range(len(frames) - 1, -1, -1):
        dropped = any(re.fullmatch(drop, name) for name in frames[position])
        if dropped and not (keep and any(re.fullmatch(keep, name) for name in frames[position])):
            return frames[position + 1 :]
    return frames


def _int(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise ValueError("a number was expected and a text is there")
    return value


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a message was expected and a number is there")
    return value
