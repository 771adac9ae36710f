"""Runs on a machine of the fleet: answers each line of stdin with its wall clock, in nanoseconds since the epoch."""

from __future__ import annotations

import sys
import time


def main() -> None:
    """Until stdin ends."""
    for _ in sys.stdin.buffer:
        sys.stdout.write(f"{time.time_ns()}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
