"""Reads what an API server's audit log has grown by, and counts requests by who sent them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson


class Request(NamedTuple):
    """What is counted of a request."""

    agent: str
    """The user agent up to its version, as `kube-scheduler`."""
    verb: str
    resource: str
    """With the subresource behind a slash; empty for a path that is no resource."""
    code: int


class AuditLog:
    """The log of one API server, from where it was when this was made or last read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0

    @property
    def there(self) -> bool:
        """Whether the API server writes one."""
        return self._path.exists()

    async def read(self) -> Counter[Request]:
        """Requests that were answered since; a log that was begun again is read from its begin."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> Counter[Request]:
        found: Counter[Request] = Counter()
        if not self.there:
            return found
        if self._path.stat().st_size < self._offset:
            self._offset = 0
        with self._path.open("rb") as stream:
            stream.seek(self._offset)
            for line in stream:
                if not line.endswith(b"\n"):  # being written
                    break
                self._offset += len(line)
                found[request_of(orjson.loads(line))] += 1
        return found


def request_of(event: Mapping[str, Any]) -> Request:
    """Of one line."""
    reference, status = event.get("objectRef") or {}, event.get("responseStatus") or {}
    below = reference.get("subresource")
    resource = str(reference.get("resource") or "")
    agent = str(event.get("userAgent") or "")
    return Request(
        agent.partition("/")[0],
        str(event.get("verb") or ""),
        f"{resource}/{below}" if below else resource,
        int(status.get("code") or 0),
    )
