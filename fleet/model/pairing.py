"""Which ITS each WDS works with, where a fleet has several of them."""

from __future__ import annotations

from collections.abc import Sequence


def paired(wdses: Sequence[str], itses: Sequence[str]) -> dict[str, str]:
    """The ITS of each WDS, in turn: with one ITS all share it, with as many as WDSes each has one of its own.

    Both in the order of their numbers; empty without an ITS.
    """
    return {wds: itses[number % len(itses)] for number, wds in enumerate(wdses)} if itses else {}
