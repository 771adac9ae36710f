"""CPU and peak memory over a phase, of real processes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from fleet.experiments.density.targets.target import Running
from fleet.experiments.density.weights import peak_rss, weigh
from fleet.experiments.density.window import Window, window

BUSY = """
import sys, time
end = time.process_time() + 0.3
while time.process_time() < end:
    pass
print(1, flush=True)
sys.stdin.read()
"""


def busy() -> subprocess.Popen[bytes]:
    """A process that has used 0.3 CPU seconds when it says so."""
    child = subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    return child


def test_one_that_begins_meanwhile_counts_from_its_own_beginning() -> None:
    async def watched() -> tuple[Window, int]:
        programs: list[Running] = [Running("me", "driver", os.getpid())]

        async def look() -> Sequence[Running]:
            return list(programs)

        child: subprocess.Popen[bytes] | None = None
        try:
            async with window(look, growing=True) as found:
                child = await asyncio.to_thread(busy)
                programs.append(Running("busy", "server", child.pid))
        finally:
            if child is not None:
                child.kill()
                child.communicate()
        return found, child.pid

    found, pid = asyncio.run(watched())
    uses = {use.running.program: use for use in found.uses}
    assert uses["busy"].running.pid == pid
    assert uses["busy"].cpu_seconds >= 0.3
    assert uses["busy"].cpu_peak >= uses["busy"].cpu_mean > 0
    assert (uses["busy"].peak_rss or 0) > 1 << 20
    assert found.seconds > 0
    assert 0 <= found.busy <= 1


def test_a_program_that_is_gone_is_left_out() -> None:
    assert weigh([Running("gone", "server", 2**22 + 1)]) == []
    assert peak_rss(2**22 + 1) is None


def test_the_peak_begins_anew() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", "a = bytearray(60 << 20)\ndel a\nprint(1, flush=True)\nimport sys\nsys.stdin.read()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert child.stdout is not None
        child.stdout.readline()
        before = peak_rss(child.pid) or 0.0
        (Path("/proc") / str(child.pid) / "clear_refs").write_text("5", encoding="ascii")
        assert (peak_rss(child.pid) or 0.0) < before - (40 << 20)
    finally:
        child.kill()
        child.communicate()
