"""Whether a program under the supervisor lives and its metrics answer; what to say when it does not in time."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable

from fleet.errors import HostError
from fleet.host.supervise import Supervisor

READY_SECONDS = 240.0
HTTP_SECONDS = 5.0


def check_alive(supervisor: Supervisor, program: str) -> None:
    """HostError with its last lines when it has ended for good or was never started."""
    state = supervisor.state(program)
    if state is None or state.state in ("FATAL", "STOPPED"):
        what = "unknown to the supervisor" if state is None else state.state
        raise HostError(f"{program} does not run ({what}); its last lines:\n{supervisor.tail(program)}")


def late(supervisor: Supervisor, program: str, what: str) -> Callable[[], str]:
    """The sentence for a program that was not ready within READY_SECONDS."""
    return lambda: f"{program}: {what} within {READY_SECONDS:.0f} s; its last lines:\n{supervisor.tail(program)}"


async def metrics_answer(url: str) -> bool:
    """Whether a plain HTTP page on this machine answers 200."""
    return await asyncio.to_thread(_http_ok, url)


def _http_ok(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=HTTP_SECONDS) as answer:  # noqa: S310 - always http on loopback
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False
