"""Go's memory, read from its profile pages in text."""

from __future__ import annotations

from fleet.experiments.density.pages import _memory

BEFORE = """heap profile: 1: 16 [2: 32] @ heap/1048576
1: 16 [1: 16] @ 0x1

# runtime.MemStats
# Alloc = 5
# HeapAlloc = 4000
# HeapSys = 9000
# HeapIdle = 2000
# HeapInuse = 7000
# HeapReleased = 1000
# HeapObjects = 12
# Stack = 3000 / 3500
# NumGC = 4
# GCCPUFraction = 0.25
"""


def test_before_and_after_a_collection() -> None:
    assert _memory(BEFORE, BEFORE.replace("HeapAlloc = 4000", "HeapAlloc = 1500")) == {
        "heap_alloc": 4000,
        "heap_inuse": 7000,
        "heap_sys": 9000,
        "heap_released": 1000,
        "gc_cpu": 0.25,
        "stacks": 3000,
        "live_heap": 1500,
    }


def test_a_page_that_could_not_be_had_tells_nothing() -> None:
    assert _memory("", "") == {}
