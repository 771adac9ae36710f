"""The admin socket of a dense process: which instances run, reload, stop and start one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fleet.errors import HostError
from fleet.host.https import Answer, UnixConnection, exchange

HTTP_ERROR = 400
TIMEOUT = 600.0
"""A reload answers when the instances that it added run; 25 of them take their time on a small machine."""


@dataclass(frozen=True)
class Instance:
    """One instance: `state` as the dense process tells it, `error` why it failed."""

    name: str
    state: str
    error: str


@dataclass(frozen=True)
class DenseAdmin:
    """One dense process, spoken to on its unix socket; OSError when it does not listen."""

    socket: Path

    def instances(self) -> dict[str, Instance]:
        """All instances by name."""
        document = self._call("GET", "/instances").json()
        entries = document["instances"] if isinstance(document, dict) else document
        found = [Instance(str(e["name"]), str(e.get("state", "")), str(e.get("error", ""))) for e in entries]
        return {instance.name: instance for instance in found}

    def reload(self) -> None:
        """Read the instances' files again: new ones start, gone ones stop, changed ones restart."""
        self._call("POST", "/reload")

    def stop(self, name: str) -> None:
        """Stop one instance until it is started."""
        self._call("POST", f"/instances/{name}/stop")

    def start(self, name: str) -> None:
        """Start one instance."""
        self._call("POST", f"/instances/{name}/start")

    def _call(self, method: str, path: str) -> Answer:
        answer = exchange(UnixConnection(self.socket, TIMEOUT), method, path)
        if answer.status >= HTTP_ERROR:
            raise HostError(f"dense process at {self.socket}: {method} {path}: {answer.status} {answer.text()}")
        return answer
