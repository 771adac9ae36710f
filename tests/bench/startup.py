"""`fleet --help` alongside an empty Python: what the command costs before it does anything."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.ratios import Ratio, paired


def seconds(command: Sequence[str]) -> float:
    """Wall seconds of one run."""
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - start


def run(repeats: int) -> Ratio:
    """In turn, after one warm-up of each."""
    ours, empty = [str(Path(sys.executable).parent / "fleet"), "--help"], [sys.executable, "-c", "pass"]
    seconds(ours), seconds(empty)
    pairs = [(seconds(ours), seconds(empty)) for _ in range(repeats)]
    return paired(
        "fleet --help, over an empty Python", "s", [a for a, _ in pairs], [b for _, b in pairs], "ours < 0.3 s"
    )
