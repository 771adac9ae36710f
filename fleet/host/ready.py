"""Wait until an API server is ready; a deadline's error names the cluster, its last log lines and the pressure."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

from fleet.errors import DeadlineError
from fleet.host.https import Endpoint
from fleet.host.patience import Patience, nothing

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
    cluster: str,
    endpoint: Endpoint,
    *,
    deadline: float,
    alive: Callable[[], None],
    tail: Callable[[], str],
    progress: Callable[[], Hashable] = nothing,
) -> float:
    """Wait for `/readyz`; seconds that it took. DeadlineError after `deadline` seconds; on a starved machine only when
    `progress` (see `Patience`) has stood still too, or several deadlines have passed.

    `alive` raises when there is no use in waiting on (the program died at once); `tail` gives the log's last lines.
    """
    patience = Patience(deadline, progress)
    while True:
        ready, answer = is_ready(endpoint)
        if ready:
            return patience.elapsed
        alive()
        if not patience.left():
            raise DeadlineError(
                f"{cluster}: API server {endpoint.url} was not ready after {patience.told()}: {answer};"
                f" its last lines:\n{tail()}"
            )
        time.sleep(POLL)
