"""The quantities that lines are drawn through: their names, units, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["bytes", "cores", "seconds", "count"]
PARTS = ("hub", "manager", "agents", "planes", "nodes", "other")
"""Whose programs: control planes of the hub, the manager, its agents, WECs, what plays their nodes, the rest (the
supervisor, monitoring)."""
PART_TEXT = {
    "hub": "hub control planes",
    "manager": "manager",
    "agents": "agents",
    "planes": "WECs",
    "nodes": "nodes",
    "other": "others",
}


@dataclass(frozen=True)
class Quantity:
    """`name.part` is the part of it that programs of one kind have."""

    name: str
    text: str
    unit: Unit
    of_rest: bool = True
    """Of a fleet at rest; else of a load on it."""
    once: bool = False
    """One value for each fleet, however often it was measured."""


QUANTITIES = (
    Quantity("memory", "memory (PSS)", "bytes"),
    Quantity("rss", "memory (RSS)", "bytes"),
    Quantity("peak_rss", "peak of memory since the start (RSS)", "bytes"),
    Quantity("load_rss", "memory under load (RSS)", "bytes", of_rest=False),
    Quantity("idle_cpu", "CPU at rest", "cores"),
    Quantity("load_cpu", "CPU under load", "cores", of_rest=False),
    Quantity("load_cpu_seconds", "CPU of one load", "seconds", of_rest=False),
    Quantity("descriptors", "descriptors, all programs", "count"),
    Quantity("descriptors_of_one", "descriptors, largest program", "count"),
    Quantity("threads", "threads", "count"),
    Quantity("inotify", "inotify instances", "count"),
    Quantity("ports", "ports", "count"),
    Quantity("build_seconds", "time to build", "seconds", once=True),
    Quantity("build_cpu", "CPU to build", "seconds", once=True),
    Quantity("downsync_p50", "down-sync p50", "seconds", of_rest=False),
    Quantity("downsync_p99", "down-sync p99", "seconds", of_rest=False),
)
"""In the order in which they are shown. Of a density run alone: `cpu_peak`."""
BY_NAME = {quantity.name: quantity for quantity in QUANTITIES}
LATENCIES = {"downsync_p50": 0.50, "downsync_p99": 0.99}
"""Each with its share of the samples."""
