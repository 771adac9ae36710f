"""`make bench`: every performance claim as a ratio, both sides made in turn in one run.

`--only sizing` builds fleets of several sizes, an hour or more, and so runs only when it is named; so does `--only
driver-memory`, which reads a run of a million samples for half an hour.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from fleet.toolchain import locate
from tests.bench import driver_memory, fixture, fleet_load, load, planes, reflector_bench, sizing, startup
from tests.bench.ratios import HEADER, Ratio

REPO = Path(__file__).resolve().parents[2]
PARTS = ("fixture", "fleet-load", "load", "planes", "reflector", "startup")
SIZING, MEMORY = "sizing", "driver-memory"
"""Only when they are named."""


def main() -> int:
    """Run the chosen parts and print a row as soon as it is known; 1 when a prediction of sizes fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=[*PARTS, SIZING, MEMORY], action="append")
    parser.add_argument("--repeats", type=int, default=5, help="pairs per row (default 5)")
    parser.add_argument("--planes", type=int, default=10, help="control planes per system (default 10)")
    parser.add_argument(
        "--sizes", type=_sizes, default=[10, 20, 50], help="of sizing: WECs to fit on (default 10,20,50)"
    )
    parser.add_argument("--held-out", type=int, default=100, help="of sizing: WECs to predict (default 100)")
    parser.add_argument(
        "--samples", type=int, default=driver_memory.SAMPLES, help="of driver-memory (default a million)"
    )
    parser.add_argument("--manager", default="kubestellar", help="of sizing (default kubestellar)")
    parser.add_argument("--window", default="60s", help="of sizing: length of each window at rest (default 60s)")
    parser.add_argument(
        "--results", type=Path, default=REPO / "results" / "sizing", help="of sizing: where its runs lie"
    )
    arguments = parser.parse_args()
    if arguments.only is not None and SIZING in arguments.only:
        held = sizing.run(
            sizing.Sizing(
                arguments.results,
                arguments.sizes,
                arguments.held_out,
                arguments.manager,
                window=arguments.window,
            )
        )
        return 0 if held and all(row.holds for row in held) else 1
    parts: dict[str, Callable[[], list[Ratio]]] = {
        "startup": lambda: [startup.run(arguments.repeats)],
        "reflector": lambda: reflector_bench.ratios(arguments.repeats),
        "load": lambda: load.ratios(arguments.repeats),
        "fleet-load": lambda: fleet_load.ratios(arguments.repeats),
        "fixture": lambda: fixture.run(arguments.planes, arguments.repeats),
        "planes": lambda: planes.run(
            locate(REPO / "toolchain", needs=["simulator:kwok"]), arguments.planes, arguments.repeats
        ),
    }
    parts[MEMORY] = lambda: driver_memory.ratios(arguments.samples)
    print(HEADER)
    for name, part in parts.items():
        if name in (arguments.only or PARTS):
            for row in part():
                print(row.line(), flush=True)
    return 0


def _sizes(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
