"""What a connection that a watch lies on asks of the kernel."""

import socket

from fleet.kube import sockets


def test_the_kernel_probes_a_silent_connection() -> None:
    with sockets.watched((socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 1))) as made:
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        asked = [made.getsockopt(socket.IPPROTO_TCP, option) for option in options]
        assert asked == [sockets.FIRST_SECONDS, sockets.PROBE_SECONDS, sockets.PROBES]
        assert not made.getblocking()
