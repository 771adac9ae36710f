"""The admin socket of a dense process: which instances run, reload, stop and start one."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from fleet.errors import HostError
from fleet.host.https import Answer, UnixConnection, exchange

TIMEOUT = 600.0
"""A start answers when the instance is ready, and it may wait for its turn behind 24 others."""


@dataclass(frozen=True)
class Instance:
    """One instance: `state` as the dense process says it, `error` why it failed."""

    name: str
    state: str
    error: str

    @property
    def failed(self) -> bool:
        """Whether its last start failed."""
        return self.state == "failed"

    @property
    def ready(self) -> bool:
        """Whether all its components run, or would as soon as somebody connects."""
        return self.state in {"ready", "asleep"}

    @property
    def idle(self) -> bool:
        """Whether it neither runs nor is about to."""
        return self.state in ("stopped", "failed")


@dataclass(frozen=True)
class DenseAdmin:
    """One dense process, spoken to on its unix socket; OSError when it does not listen."""

    socket: Path
    seconds: float = TIMEOUT
    """How long it may take to answer."""

    def instances(self) -> dict[str, Instance]:
        """All instances by name."""
        entries = self._call("GET", "/instances").json()
        found = [Instance(str(e["name"]), str(e["state"]), str(e["error"])) for e in entries]
        return {instance.name: instance for instance in found}

    def reload(self) -> None:
        """Read the instances' files again: new ones start, gone ones stop, changed ones restart; answers
        before that is done."""
        self._call("POST", "/reload")

    def stop(self, name: str) -> None:
        """Stop one instance until it is started."""
        self._call("POST", f"/instances/{name}/stop")

    def start(self, name: str) -> None:
        """Start one instance."""
        self._call("POST", f"/instances/{name}/start")

    def _call(self, method: str, path: str) -> Answer:
        answer = exchange(UnixConnection(self.socket, self.seconds), method, path)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise HostError(f"dense process at {self.socket}: {method} {path}: {answer.status} {answer.text()}")
        return answer
