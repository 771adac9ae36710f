"""Which transport each source works with, where a fleet has several of them."""

from __future__ import annotations

from collections.abc import Sequence


def paired(sources: Sequence[str], transports: Sequence[str]) -> dict[str, str]:
    """The transport of each source, in turn: one is shared by all, of as many as sources each has one of its own.

    Both in the order of their numbers; empty without a transport.
    """
    return {source: transports[number % len(transports)] for number, source in enumerate(sources)} if transports else {}
