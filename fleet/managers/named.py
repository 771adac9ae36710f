"""Names in a message: the first few, and how many more."""

from __future__ import annotations

from collections.abc import Sequence

NAMED = 5
"""So many names; the rest is counted."""


def named(names: Sequence[str]) -> str:
    """`a, b, c, d, e and 4 more`."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
