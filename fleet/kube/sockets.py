"""Sockets whose kernel asks the other machine's whether it is still there.

A watch may be silent for a long time because its API server has nothing to say, or gets no processor to say it with.
Neither is a dead connection, and only the kernels know: they answer keepalive probes whatever the programs do.
"""

from __future__ import annotations

import socket

from aiohttp import AddrInfoType

FIRST_SECONDS = 15
"""Of silence before the first probe."""
PROBE_SECONDS = 5
PROBES = 3
"""Unanswered ones in a row that end a connection: half a minute after a machine vanished, as client-go's pings do."""


def watched(address: AddrInfoType) -> socket.socket:
    """A socket for that address, not connected yet."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, FIRST_SECONDS)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, PROBE_SECONDS)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)
    return made
