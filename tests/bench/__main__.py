"""`make bench`: every performance claim as a ratio, both sides made in turn in one run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from fleet.toolchain import locate
from tests.bench import fleet_load, load, planes, reflector_bench, startup
from tests.bench.ratios import HEADER, Ratio

REPO = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run the chosen parts and print a row as soon as it is known."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=["fleet-load", "load", "planes", "reflector", "startup"], action="append")
    parser.add_argument("--repeats", type=int, default=5, help="pairs per row (default 5)")
    parser.add_argument("--planes", type=int, default=10, help="control planes per system (default 10)")
    arguments = parser.parse_args()
    parts: dict[str, Callable[[], list[Ratio]]] = {
        "startup": lambda: [startup.run(arguments.repeats)],
        "reflector": lambda: reflector_bench.ratios(arguments.repeats),
        "load": lambda: load.ratios(arguments.repeats),
        "fleet-load": lambda: fleet_load.ratios(arguments.repeats),
        "planes": lambda: planes.run(
            locate(REPO / "toolchain", needs=["simulator:kwok"]), arguments.planes, arguments.repeats
        ),
    }
    print(HEADER)
    for name, part in parts.items():
        if arguments.only is None or name in arguments.only:
            for row in part():
                print(row.line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
