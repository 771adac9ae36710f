"""The clients of a run: none at first, opened when the experiment needs them, opened again for another fleet."""

from __future__ import annotations

from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from fleet.experiment.connect import opened
from fleet.managers.manager import Spaces
from fleet.model.fleet_file import FleetFile

if TYPE_CHECKING:
    from fleet.experiment.definition import Needs

CLOSED = Spaces({}, {}, {})


class Clients:
    """Use as `async with`; `spaces` holds the clients that are open now."""

    def __init__(self) -> None:
        self.spaces = CLOSED
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self, fleet: FleetFile, needs: Needs) -> None:
        """Those clients of that fleet and no others; watches over the former ones must have ended."""
        await self.close()
        if needs.wecs is None or needs.sources is None or needs.wecs or needs.sources:
            self.spaces = await self._stack.enter_async_context(opened(fleet, needs.wecs, needs.sources))

    async def close(self) -> None:
        """None is open any more."""
        self.spaces = CLOSED
        await self._stack.aclose()
