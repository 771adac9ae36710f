import asyncio
import time

import pytest

from fleet.kube.limiter import TokenBucket


def test_by_hand() -> None:
    """qps 5, burst 2: two at once, then one each 0.2 s; after 1 s of rest the bucket is full again, not fuller."""
    bucket = TokenBucket(5, 2, clock=lambda: 100.0)
    assert [bucket.reserve(100.0) for _ in range(4)] == pytest.approx([0, 0, 0.2, 0.4])
    # At 100.3 the bucket holds -2 + 0.3 * 5 = -0.5; one more: -1.5 / 5 = 0.3 s.
    assert bucket.reserve(100.3) == pytest.approx(0.3)
    # At 110 it is full (2): two free, the third waits.
    assert [bucket.reserve(110.0) for _ in range(3)] == pytest.approx([0, 0, 0.2])
    assert bucket.requests == 8
    assert bucket.delayed == 4
    assert bucket.waited_seconds == pytest.approx(0.2 + 0.4 + 0.3 + 0.2)


def test_kubestellar_defaults_predict_the_floor() -> None:
    """200 requests at qps 5, burst 10: the last one leaves after (200 - 10) / 5 = 38 s."""
    bucket = TokenBucket(5, 10, clock=lambda: 0.0)
    assert max(bucket.reserve(0.0) for _ in range(200)) == pytest.approx(38.0)


@pytest.mark.parametrize("qps", [None, 0])
def test_unlimited(qps: float | None) -> None:
    bucket = TokenBucket(qps)
    assert bucket.unlimited
    assert sum(bucket.reserve(0.0) for _ in range(1000)) == 0


def test_a_clock_that_steps_back_gives_nothing() -> None:
    bucket = TokenBucket(1, 1, clock=lambda: 10.0)
    assert bucket.reserve(10.0) == 0
    assert bucket.reserve(5.0) == pytest.approx(1.0)


@pytest.mark.parametrize(("qps", "burst"), [(-1, 1), (5, 0), (5, None)])
def test_refuses_nonsense(qps: float, burst: int | None) -> None:
    with pytest.raises(ValueError, match="must be"):
        TokenBucket(qps, burst)


async def test_waits_in_order() -> None:
    bucket = TokenBucket(200, 1)
    served: list[int] = []

    async def one(number: int) -> None:
        await bucket.wait()
        served.append(number)

    start = time.monotonic()
    await asyncio.gather(*(one(number) for number in range(5)))
    assert served == [0, 1, 2, 3, 4]
    assert time.monotonic() - start >= 0.019  # four waits of 5 ms: a lower bound of the sleep, not a timing
