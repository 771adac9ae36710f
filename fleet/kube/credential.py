"""The credential that requests use now: renewed before it ends and after a 401, once for all who wait for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from fleet.errors import SpecError
from fleet.kube.endpoint import Endpoint
from fleet.kube.errors import Unreachable

EARLY_SECONDS = 60.0
"""A renewal begins so long before the end, alongside the requests; a plugin takes a second or two."""
PAUSE_SECONDS = 10.0
"""Between a renewal that failed and the next that is tried before the end."""

Reload = Callable[[], Awaitable[Endpoint]]


class Credential:
    """Holds the newest endpoint of one client."""

    def __init__(self, endpoint: Endpoint, reload: Reload | None) -> None:
        self.endpoint = endpoint
        self._reload = reload
        self._renewal: asyncio.Task[None] | None = None
        self._not_before = 0.0

    async def fresh(self) -> Endpoint:
        """The endpoint to use. Waits only for the renewal of one that has ended; Unreachable when that fails."""
        ends = self.endpoint.expires
        if ends is None or self._reload is None:
            return self.endpoint
        left = ends - time.time()
        if left <= 0:
            await self._renew(self._reload)
        elif left <= EARLY_SECONDS and self._renewal is None and time.monotonic() >= self._not_before:
            self._not_before = time.monotonic() + PAUSE_SECONDS
            self._begin(self._reload)
        return self.endpoint

    async def refused(self, used: Endpoint) -> bool:
        """The server answered 401 to `used`: whether there is another to try.

        False for a client that has no place to read one from. Unreachable when there is none for now.
        """
        if self._reload is None:
            return False
        if self.endpoint is used:
            await self._renew(self._reload)
        return True

    async def close(self) -> None:
        """Ends a renewal that is under way."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)

    async def _renew(self, reload: Reload) -> None:
        # Shielded: others may wait for the same renewal when one of them is cancelled.
        await asyncio.shield(self._begin(reload))

    def _begin(self, reload: Reload) -> asyncio.Task[None]:
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._once(reload))
            self._renewal.add_done_callback(self._done)
        return self._renewal

    def _done(self, renewal: asyncio.Task[None]) -> None:
        self._renewal = None
        if not renewal.cancelled():
            renewal.exception()  # of one that nobody waited for: the next request tries again

    async def _once(self, reload: Reload) -> None:
        try:
            self.endpoint = await reload()
        except SpecError as error:
            raise Unreachable(
                f"the credential could not be renewed: {error}", cluster=self.endpoint.cluster, reason="Credential"
            ) from error
