"""The profiles of a run, by program and kind: first and last heap, all CPU together, and what grew in between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.analysis.pprof import Cost, Profile, growing, merged, read, top, total
from fleet.errors import UsageError
from fleet.results.events import ProfileTaken

SAMPLE_TYPE = {"heap": "inuse_space", "goroutine": "goroutine", "cpu": "cpu"}
"""What is looked at in each kind: bytes that were live, goroutines, nanoseconds of CPU."""
MOST_MERGED = 24
"""CPU profiles of one program that are put together; of more, that many evenly spread ones."""


@dataclass(frozen=True)
class Series:
    """All profiles of one kind of one program of a run."""

    program: str
    component: str
    cluster: str
    kind: str
    taken: Sequence[ProfileTaken]
    """In the order of time, without those that failed."""
    failed: int
    first: Profile
    last: Profile
    """For a CPU profile both are all of them together: each is of another stretch of time."""

    @property
    def sample_type(self) -> str:
        """What is counted."""
        return SAMPLE_TYPE[self.kind]

    @property
    def unit(self) -> str:
        """Of the values: bytes, count, nanoseconds."""
        return self.last.sample_types[self.last.index(self.sample_type)].unit

    @property
    def size(self) -> int:
        """The sum of the last profile."""
        return total(self.last, self.sample_type)

    @property
    def growth(self) -> int:
        """Last less first; 0 for CPU."""
        return self.size - total(self.first, self.sample_type)

    @property
    def costliest(self) -> Cost | None:
        """The function whose own value is largest."""
        return next(iter(top(self.last, self.sample_type, 1)), None)

    @property
    def grown(self) -> Cost | None:
        """The function whose own value grew most between first and last; None when none did, or for CPU."""
        if self.kind == "cpu":
            return None
        return next(iter(growing(self.first, self.last, self.sample_type, 1)), None)


@dataclass(frozen=True)
class RunProfiles:
    """Everything that was fetched in a run, and sentences on files that cannot be read."""

    series: Sequence[Series] = ()
    unreadable: Sequence[str] = ()

    @property
    def any(self) -> bool:
        """Whether the run was disturbed by profiling, also in vain."""
        return bool(self.series or self.unreadable)


NO_PROFILES = RunProfiles()
"""Of a run that was not profiled."""


def read_profiles(folder: Path, taken: Sequence[ProfileTaken]) -> RunProfiles:
    """Read what is needed of a run's profiles; by program, then kind. A file that is gone or damaged is reported."""
    groups: defaultdict[tuple[str, str, str], list[ProfileTaken]] = defaultdict(list)
    for one in taken:
        groups[one.program, one.machine, one.kind].append(one)
    series: list[Series] = []
    unreadable: list[str] = []
    for (program, _, kind), lines in sorted(groups.items()):
        good = [one for one in lines if one.file]
        try:
            found = [read(_bytes(folder, one.file)) for one in _needed(kind, good)]
        except UsageError as error:
            unreadable.append(f"{program}, {kind}: {error}")
            continue
        if not found:
            unreadable.append(f"{program}: no {kind} profile: {lines[-1].error}")
            continue
        ends = (merged(found),) * 2 if kind == "cpu" else (found[0], found[-1])
        series.append(Series(program, good[0].component, good[0].cluster, kind, good, len(lines) - len(good), *ends))
    return RunProfiles(series, unreadable)


def _needed(kind: str, taken: Sequence[ProfileTaken]) -> list[ProfileTaken]:
    if kind != "cpu" or len(taken) <= 1:
        return [taken[0], taken[-1]] if taken else []
    count = min(len(taken), MOST_MERGED)
    return [taken[round(number * (len(taken) - 1) / (count - 1))] for number in range(count)]


def _bytes(folder: Path, name: str) -> bytes:
    path = folder / name
    if ".." in Path(name).parts or Path(name).is_absolute():
        raise UsageError(f"{name!r} leaves the run folder")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from error
