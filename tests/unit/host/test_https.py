"""One request on a connection of its own closes what it opened, however it ends."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from fleet.host.https import exchange

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nten bytes."


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server that answers half of one request and then hangs."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(HALF)
                over.wait(10)

        thread = threading.Thread(target=answer)
        thread.start()
        yield int(listener.getsockname()[1])
        over.set()
        thread.join(10)


def test_an_answer_that_does_not_end_is_an_error_and_keeps_no_socket(port: int) -> None:
    made: list[http.client.HTTPResponse] = []

    class Kept(http.client.HTTPResponse):
        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more)
            made.append(self)

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=0.2)
    connection.response_class = Kept
    with pytest.raises(TimeoutError):
        exchange(connection, "GET", "/")
    assert [response.isclosed() for response in made] == [True]
