"""Wait until an API server is ready; the error of a deadline names the cluster and shows the last lines of
its log."""

from __future__ import annotations

import time
from collections.abc import Callable

from fleet.errors import DeadlineError
from fleet.host.https import Endpoint

POLL = 0.1
OK = 200


def is_ready(endpoint: Endpoint) -> tuple[bool, str]:
    """Whether `/readyz` says so now, and its answer in words."""
    try:
        answer = endpoint.request("GET", "/readyz", timeout=5.0)
    except OSError as error:
        return False, str(error)
    failed = [line for line in answer.text(4000).splitlines() if line.startswith("[-]")]
    return answer.status == OK, "; ".join(failed) or f"{answer.status} {answer.text()}"


def wait_ready(
    cluster: str, endpoint: Endpoint, *, deadline: float, alive: Callable[[], None], tail: Callable[[], str]
) -> float:
    """Wait for `/readyz`; seconds that it took.

    `alive` raises when there is no use in waiting on (the program died at once); `tail` gives the log's last lines.
    """
    begin = time.monotonic()
    while True:
        ready, answer = is_ready(endpoint)
        elapsed = time.monotonic() - begin
        if ready:
            return elapsed
        alive()
        if elapsed > deadline:
            raise DeadlineError(
                f"{cluster}: API server {endpoint.url} was not ready within {deadline:.0f} s: {answer};"
                f" its last lines:\n{tail()}"
            )
        time.sleep(POLL)
