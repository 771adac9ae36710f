"""What a reflector delivers: an event with its receipt stamps, a gap, a clock to stamp with, and counters."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fleet.kube.resources import Resource

EventType = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True, slots=True)
class Clock:
    """Two readings of time in nanoseconds; replaced in tests."""

    monotonic_ns: Callable[[], int] = time.monotonic_ns
    wall_ns: Callable[[], int] = time.time_ns


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change of one object, as the reflector saw it.

    A DELETED event that a list revealed carries only apiVersion, kind and metadata (namespace, name, uid and the last
    resourceVersion known).
    """

    cluster: str
    resource: Resource
    type: EventType
    object: Mapping[str, Any]
    mono_ns: int
    """time.monotonic_ns() right after the bytes were read, before they were parsed; shared by one chunk or page."""
    wall_ns: int
    """time.time_ns() of the same moment."""
    listed: bool = False
    """From a list: the stamp says only that it was so by then."""
    gap: bool = False
    """Found by comparing a list with what was known before: the true moment lies inside the gap."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of monotonic time in which this watch was blind. `reason` is text for people."""

    cluster: str
    resource: Resource
    start_ns: int
    end_ns: int
    reason: str


@dataclass(slots=True)
class ReflectorStats:
    """Counters of one reflector, from its start."""

    events: int = 0
    """Given to `on_event`, those of lists included."""
    lists: int = 0
    """Lists finished, the first included."""
    relists: int = 0
    """Lists begun after the first was finished; one that is finished ends a gap."""
    reconnects: int = 0
    """Watches opened again from the last resourceVersion, without loss."""
    gaps: int = 0
    bytes: int = 0
    """Read from watches."""
    bookmarks: int = 0
    bookmark: str = ""
    """resourceVersion of the newest bookmark."""
    duplicates: int = 0
    """Events dropped because the same object at the same resourceVersion was already delivered."""
    filtered: int = 0
    """Lines that `want` refused."""
    errors: int = 0
    last_error: str = ""
    blind_ns: int = 0
    """Sum of the stretches without an open watch, gaps included, since the first list."""
