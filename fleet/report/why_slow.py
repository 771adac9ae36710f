"""Why was this one slow: the timeline of one sample as tables and raw lines, for the report and the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.analysis.sample_timeline import Timeline, told_lines
from fleet.report.tables import ABSENT, Table

RAW_LINES = 30
"""Raw lines of one sample in the page; all of them are printed by `fleet report --sample`."""


def title(found: Timeline) -> str:
    """`downsync of ns/name in wec007: 12.345 s (trial t001)`."""
    sample = found.sample
    where = f" in {sample.cluster}" if sample.cluster else ""
    took = "missing" if sample.seconds is None else f"{sample.seconds:.3f} s"
    return f"{sample.stage} of {sample.namespace}/{sample.name}{where}: {took} (trial {sample.trial})"


def stages(found: Timeline) -> Table:
    """Every stage of the same object."""
    rows = [
        (
            one.stage,
            one.cluster or ABSENT,
            ABSENT if one.start_ns is None else f"{(one.start_ns - found.start_ns) / 1e9:+.3f}",
            "missing" if one.seconds is None else f"{one.seconds:.3f}",
            " ".join(one.flags) or ABSENT,
        )
        for one in found.siblings
    ]
    head = ("stage", "WEC", "begins (s)", "took (s)", "flags")
    return Table(head, rows, frozenset({"begins (s)", "took (s)"}))


def lines(found: Timeline) -> Table:
    """What was seen, line by line."""
    head = ("at (s)", "after (s)", "where", "what")
    rows = [(at, since or ABSENT, where, what) for at, since, where, what in told_lines(found)]
    return Table(head, rows, frozenset(head[:2]), frozenset({"what"}))


def raw(found: Timeline, most: int | None = None) -> Iterator[str]:
    """The lines of events.jsonl, in the order of the table."""
    shown = found.entries if most is None else found.entries[:most]
    yield from (entry.raw for entry in shown)
    if len(shown) < len(found.entries):
        yield f"... {len(found.entries) - len(shown)} more"
