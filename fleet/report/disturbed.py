"""Disturbances of the fleet as rows of the report's table of events."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.analysis.disturbances import Disturbances


def disturbed(found: Disturbances) -> Iterator[tuple[int, str, str, str]]:
    """Nanoseconds, what, where, text: planned faults, and everything that happened, with the trials that it hit."""
    for fault in found.faults:
        yield fault.start_ns, "planned fault", fault.trial, f"{fault.action} of {fault.target}"
        if fault.end_ns is not None:
            yield fault.end_ns, "healed", fault.trial, f"{fault.action} of {fault.target}"
    for one in found.found:
        told = f"{one.subject} {one.what}"
        what = f"{one.kind}, planned" if one.planned else f"{one.kind}, disturbed" if one.trials else one.kind
        yield one.ns, what, " ".join(one.trials), told
