import asyncio

import pytest

from fleet.kube.looplag import LoopLag


def test_quantiles_by_hand() -> None:
    lag = LoopLag()
    for milliseconds in range(1, 101):
        lag.add(milliseconds / 1000)
    assert lag.samples == 100
    assert lag.max_seconds == 0.1
    assert 0.099 <= lag.p99_seconds <= 0.099 * 1.02
    assert 0.050 <= lag.quantile(0.5) <= 0.050 * 1.02
    assert lag.quantile(1.0) == 0.1


def test_no_samples() -> None:
    assert LoopLag().p99_seconds == 0


async def test_a_blocked_loop_is_seen() -> None:
    now = [0.0]
    async with LoopLag(0.0, clock=lambda: now[0]) as lag:
        await asyncio.sleep(0)
        now[0] += 0.25  # what a callback that blocks for 250 ms does to the clock
        for _ in range(3):
            await asyncio.sleep(0)
    assert lag.max_seconds == pytest.approx(0.25)
