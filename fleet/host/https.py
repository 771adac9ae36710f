"""One HTTPS or unix-socket request at a time, with client certificates, synchronous."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fleet.errors import HostError

TIMEOUT = 10.0


@dataclass(frozen=True)
class Answer:
    """Status code and body."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def text(self, limit: int = 300) -> str:
        """The beginning of the body, for a message."""
        return self.body.decode(errors="replace").strip()[:limit]


@dataclass(frozen=True)
class Endpoint:
    """An HTTPS server and the files that prove who both sides are. Raises OSError when it cannot be
    reached or proved."""

    url: str
    ca: Path
    cert: Path
    key: Path

    def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, timeout: float = TIMEOUT
    ) -> Answer:
        """One request on a connection of its own; `body` is sent as JSON."""
        context = ssl.create_default_context(cafile=str(self.ca))
        context.load_cert_chain(str(self.cert), str(self.key))
        parts = urlsplit(self.url)
        if parts.hostname is None or parts.scheme != "https":
            raise HostError(f"{self.url} is not an https URL")
        connection = http.client.HTTPSConnection(parts.hostname, parts.port or 443, timeout=timeout, context=context)
        return exchange(connection, method, path, body)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def exchange(
    connection: http.client.HTTPConnection, method: str, path: str, body: Mapping[str, Any] | None = None
) -> Answer:
    """Send one request and close the connection; OSError when it breaks."""
    try:
        payload = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json"} | ({} if payload is None else {"Content-Type": "application/json"})
        connection.request(method, path, body=payload, headers=headers)
        with connection.getresponse() as response:  # one that breaks in the middle would keep its socket open
            return Answer(response.status, response.read())
    except http.client.HTTPException as error:
        raise ConnectionError(f"broken answer: {error!r}") from error
    finally:
        connection.close()
