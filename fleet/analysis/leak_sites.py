"""Where a leaking program allocates: the difference of two of its heap profiles, taken while the load was under way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from fleet.analysis.leaks import Leak, window_of
from fleet.analysis.pprof import Profile, difference, read
from fleet.analysis.profiles import SAMPLE_TYPE
from fleet.analysis.recorded import Recorded
from fleet.errors import UsageError
from fleet.model.leak_rules import LeakRules
from fleet.results.events import ProfileTaken

KINDS = {"resident memory": "heap", "heap after collection": "heap", "goroutines": "goroutine"}
"""Which profile shows which quantity; descriptors and etcd's size have none."""
MOST = 3
"""Sites of one leak: a leak has one, and the next largest show that the others are far smaller."""


def with_sites(found: Sequence[Leak], folder: Path, recorded: Recorded, rules: LeakRules) -> list[Leak]:
    """The same leaks, those that are leaking with their sites where the run has two profiles of the program.

    They are the first after the warm-up and the last of the load (first and last of all where there are no two):
    caches that fill are not the leak, and the clean-up frees what the load held. A file that is gone or damaged leaves
    the leak without sites; the report's profiles say why.
    """
    made = []
    for leak in found:
        kind = KINDS.get(leak.quantity)
        if leak.verdict != "leaking" or kind is None:
            made.append(leak)
            continue
        ends = _ends([one for one in recorded.profiles if _of(one, leak.program, kind)], recorded, rules)
        made.append(leak if ends is None else leak.model_copy(update={"sites": _sites(folder, ends, kind)}))
    return made


def growing_sites(base: Profile, new: Profile, sample_type: str, count: int = MOST) -> list[tuple[str, int]]:
    """Functions that hold more in `new` than in `base`, with how much more, the most first.

    A site is the function that allocates; behind ` for ` stands the innermost caller outside of Go's own library, where
    the function itself is of that: `bytes.growSlice` alone names nobody.
    """
    index = new.index(sample_type)
    grown: defaultdict[str, int] = defaultdict(int)
    for stack in difference(base, new).stacks:
        if stack.functions:
            grown[_site(stack.functions)] += stack.values[index]
    ranked = sorted(((name, more) for name, more in grown.items() if more > 0), key=lambda one: (-one[1], one[0]))
    return ranked[:count]


def _site(functions: Sequence[str]) -> str:
    leaf = functions[0]
    owner = next((name for name in functions if not _of_go(name)), leaf)
    return leaf if owner == leaf else f"{leaf} for {owner}"


def _of_go(function: str) -> bool:
    """Of Go's own library: the first part of its package's path has no dot (`encoding/json`), and it is not `main`."""
    package = function.rpartition("/")[0] or function.partition(".")[0]
    return "." not in package.partition("/")[0] and package != "main"


def _of(one: ProfileTaken, program: str, kind: str) -> bool:
    return one.program == program and one.kind == kind and bool(one.file)


def _ends(
    taken: Sequence[ProfileTaken], recorded: Recorded, rules: LeakRules
) -> tuple[ProfileTaken, ProfileTaken] | None:
    if len(taken) < 2:  # noqa: PLR2004 - a difference needs two
        return None
    begin, end = window_of(recorded)
    warm = begin + rules.warmup * (end - begin)
    within = [one for one in taken if warm <= one.ns <= end]
    used = within if len(within) > 1 else taken
    return used[0], used[-1]


def _sites(folder: Path, ends: tuple[ProfileTaken, ProfileTaken], kind: str) -> list[tuple[str, int]]:
    try:
        base, new = (read((folder / one.file).read_bytes()) for one in ends)
        return growing_sites(base, new, SAMPLE_TYPE[kind])
    except (OSError, UsageError):
        return []
