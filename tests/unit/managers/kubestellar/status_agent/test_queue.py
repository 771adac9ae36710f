"""The queue: one key never twice at once, adds fold, failures come back, the number of workers holds."""

import asyncio

from fleet.managers.kubestellar.status_agent.queue import Backoff, Later, ObjectQueue

QUICK = Backoff(first=0.001, longest=0.001)


class Handler:
    """Records what is handled; blocks on `gate`; fails as often as `failures` says."""

    def __init__(self, *, failures: int = 0, error: type[Exception] = Later) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.now: list[str] = []
        self.most = 0
        self.overlap = False
        self.changed = asyncio.Condition()
        self._failures = failures
        self._error = error

    async def __call__(self, key: str) -> None:
        self.overlap = self.overlap or key in self.now
        self.now.append(key)
        self.most = max(self.most, len(self.now))
        await self._tell(self.begun, key)
        await self.gate.wait()
        self.now.remove(key)
        if self._failures:
            self._failures -= 1
            raise self._error("not now")
        await self._tell(self.ended, key)

    async def _tell(self, where: list[str], key: str) -> None:
        async with self.changed:
            where.append(key)
            self.changed.notify_all()

    async def until(self, where: list[str], count: int) -> None:
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: len(where) >= count)


async def test_every_key_is_handled_and_no_more_than_the_workers_at_once() -> None:
    handler = Handler()
    handler.gate.clear()
    queue = ObjectQueue(handler, workers=2, backoff=QUICK)
    for key in "abcd":
        queue.add(key)
    await handler.until(handler.begun, 2)
    assert queue.depth == 2
    assert queue.unfinished == 4
    handler.gate.set()
    await handler.until(handler.ended, 4)
    assert sorted(handler.ended) == list("abcd")
    assert handler.most == 2
    await queue.close()


async def test_adds_of_a_key_fold_and_never_overlap() -> None:
    handler = Handler()
    handler.gate.clear()
    queue = ObjectQueue(handler, workers=4, backoff=QUICK)
    queue.add("a")
    await handler.until(handler.begun, 1)
    for _ in range(5):
        queue.add("a")
    handler.gate.set()
    await handler.until(handler.ended, 2)
    queue.add("b")
    await handler.until(handler.ended, 3)
    assert handler.ended == ["a", "a", "b"]
    assert not handler.overlap
    await queue.close()


async def test_a_key_that_failed_comes_back() -> None:
    handler = Handler(failures=3)
    queue = ObjectQueue(handler, workers=1, backoff=QUICK)
    queue.add("a")
    await handler.until(handler.ended, 1)
    assert handler.begun == ["a"] * 4
    assert queue.retries == 3
    await queue.close()


async def test_an_unexpected_error_does_not_stop_the_others() -> None:
    handler = Handler(failures=1, error=ValueError)
    queue = ObjectQueue(handler, workers=1, backoff=QUICK)
    queue.add("a")
    queue.add("b")
    await handler.until(handler.ended, 2)
    assert sorted(handler.ended) == ["a", "b"]
    await queue.close()


async def test_close_ends_workers_and_timers_and_later_adds_do_nothing() -> None:
    handler = Handler(failures=1)
    queue = ObjectQueue(handler, workers=1, backoff=Backoff(first=1000, longest=1000))
    queue.add("a")
    await handler.until(handler.begun, 1)
    handler.gate.clear()
    queue.add("b")
    await handler.until(handler.begun, 2)
    await queue.close()
    queue.add("c")
    assert handler.ended == []
    assert queue.depth == 0


def test_backoff_doubles_up_to_its_longest() -> None:
    backoff = Backoff(first=0.5, longest=3.0)
    assert [backoff.nominal(n) for n in (1, 2, 3, 4, 5000)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert all(0.5 <= backoff.pause(2) <= 1.0 for _ in range(50))
