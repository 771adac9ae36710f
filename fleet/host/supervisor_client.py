"""Calls of supervisord's XML-RPC interface on its unix socket, each within a time."""

from __future__ import annotations

import http.client
import xmlrpc.client
from pathlib import Path
from typing import Any

from fleet.errors import DeadlineError
from fleet.host.https import UnixConnection

ANSWER_SECONDS = 30.0
"""It answers within a millisecond; on a starved machine (load 90 on 2 cores) after seconds."""
ORDER_SECONDS = 90.0
"""Of a start or stop, which is answered when it is over: more than the longest `Program.stop_seconds`, 60 s."""
_ORDERS = frozenset({"startProcess", "stopProcess"})


class _Transport(xmlrpc.client.Transport):
    """xmlrpc's own transport over a unix socket, with a time-out for each wait on it."""

    def __init__(self, socket: Path, seconds: float) -> None:
        super().__init__()
        self._socket = socket
        self._seconds = seconds

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        """A connection of its own for each call."""
        connection = UnixConnection(self._socket, self._seconds)
        self._connection = host, connection
        return connection


def call(socket: Path, method: str, *arguments: Any, seconds: float | None = None) -> Any:
    """One call; xmlrpc's values (dicts, lists, numbers, text) come back.

    `seconds` None: ANSWER_SECONDS, or ORDER_SECONDS for a start or stop.
    OSError when nothing answers on the socket, DeadlineError when what listens there says nothing for `seconds`,
    xmlrpc.client.Fault when it refuses.
    """
    if seconds is None:
        seconds = ORDER_SECONDS if method in _ORDERS else ANSWER_SECONDS
    with xmlrpc.client.ServerProxy("http://localhost", transport=_Transport(socket, seconds)) as proxy:
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        except TimeoutError as error:
            raise DeadlineError(
                f"{socket}: supervisord did not answer {method} within {seconds:g} s: it hangs, or the machine is"
                " starved. `fleet down` ends the fleet in either case"
            ) from error
        except http.client.HTTPException as error:
            raise ConnectionError(f"{socket}: supervisord's answer to {method} is broken: {error!r}") from error
