"""Whether a program under the supervisor lives and its metrics answer; what to say when it does not in time."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from fleet.errors import HostError
from fleet.host.supervise import Supervisor
from fleet.install.waiting import until

READY_SECONDS = 240.0
HTTP_SECONDS = 5.0


async def until_it_works(
    supervisor: Supervisor,
    program: str,
    works: Callable[[], Awaitable[bool]],
    failure: str,
    *,
    seconds: float = READY_SECONDS,
) -> float:
    """Wait until `works` says so, as long as the program lives and, on a starved machine, gets on; seconds.

    HostError with its last lines when it has ended for good or was never started; DeadlineError with `failure`.
    """

    async def look() -> bool:
        state = supervisor.state(program)
        if state is None or state.state in ("FATAL", "STOPPED"):
            what = "unknown to the supervisor" if state is None else state.state
            raise HostError(f"{program} does not run ({what}); its last lines:\n{supervisor.tail(program)}")
        return await works()

    def late() -> str:
        return f"{program}: {failure}; its last lines:\n{supervisor.tail(program)}"

    return await until(look, seconds, late, progress=lambda: supervisor.work_done(program))


async def metrics_answer(url: str) -> bool:
    """Whether a plain HTTP page on this machine answers 200."""
    return await asyncio.to_thread(_http_ok, url)


def _http_ok(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=HTTP_SECONDS) as answer:  # noqa: S310 - always http on loopback
            return bool(answer.status == HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return False
