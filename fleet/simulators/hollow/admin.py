"""The admin socket of a process of hollow nodes: which it has, partition and heal one."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fleet.errors import HostError
from fleet.host.https import UnixConnection, exchange

TIMEOUT = 30.0


@dataclass(frozen=True)
class HollowNode:
    """One node. `pods`: how many of its sandboxes are ready; `partitioned`: cut off from its API server."""

    name: str
    address: str
    port: int
    pods: int
    partitioned: bool


@dataclass(frozen=True)
class HollowAdmin:
    """One process, spoken to on its unix socket; OSError when it does not listen, HostError when it refuses."""

    socket: Path
    seconds: float = TIMEOUT
    """How long it may take to answer."""

    def nodes(self) -> list[HollowNode]:
        """All nodes of the process."""
        return [HollowNode(**entry) for entry in self._call("GET", "/nodes")]

    def partition(self, name: str) -> HollowNode:
        """Cut a node off from its API server, in both directions, until it is healed."""
        return HollowNode(**self._call("POST", f"/nodes/{name}/partition"))

    def heal(self, name: str) -> HollowNode:
        """End that."""
        return HollowNode(**self._call("POST", f"/nodes/{name}/heal"))

    def _call(self, method: str, path: str) -> Any:
        answer = exchange(UnixConnection(self.socket, self.seconds), method, path)
        if answer.status != HTTPStatus.OK:
            raise HostError(f"hollow process at {self.socket}: {method} {path}: {answer.status} {answer.text()}")
        return answer.json()
