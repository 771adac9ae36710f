"""The same for many: at most so many at a time, none left behind when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

AT_ONCE = 16

T = TypeVar("T")


async def each(items: Iterable[T], do: Callable[[T], Awaitable[object]], *, at_once: int = AT_ONCE) -> None:
    """`do` for every item, at most `at_once` at a time; the first error ends all and is raised as it is."""
    gate = asyncio.Semaphore(at_once)

    async def one(item: T) -> None:
        async with gate:
            await do(item)

    try:
        async with asyncio.TaskGroup() as group:
            for item in items:
                group.create_task(one(item))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from errors
