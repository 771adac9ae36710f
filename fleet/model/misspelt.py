"""Names that nothing reads and that look like one that is read: a variable that was misspelt. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

LIKENESS = 0.8
"""Of two names (difflib's ratio): one letter wrong in five, or two that changed places in ten."""


def misspelt(given: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Name to the name that was probably meant; names that are like none are left to whoever has a use for them.

    >>> misspelt(["wec_cuont", "wec_count", "our_region"], ["wec_count", "wec_nodes"])
    {'wec_cuont': 'wec_count'}
    """
    found = {}
    for name in given:
        if name in known:
            continue
        close = get_close_matches(name, known, n=1, cutoff=LIKENESS)
        if close:
            found[name] = close[0]
    return found
