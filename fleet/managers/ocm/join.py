"""Brings WECs through OCM's handshake, some at a time: accept, approve by name, wait for Joined and Available."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet.errors import DeadlineError
from fleet.install.objects import Ledger
from fleet.kube.client import KubeClient
from fleet.kube.errors import Conflict, NotFound
from fleet.kube.resources import CSRS, MANAGED_CLUSTERS
from fleet.managers.ocm import names
from fleet.managers.ocm.admission import Member, acceptance, approval, member, objection, pending


@dataclass(frozen=True)
class JoinOptions:
    """Bounds of one call."""

    parallelism: int = 8
    """WECs between start and Available at the same time; each agent's start takes about a second of CPU."""
    seconds: float = 240.0
    """For one WEC, from the start of its agent; a fresh one takes about 2 s on an idle machine."""
    poll: float = 0.5
    """Seconds between two looks at the hub."""


@dataclass
class Flight:
    """WECs on their way."""

    waiting: list[str]
    started: dict[str, float] = field(default_factory=dict)
    """Name to the monotonic time of its start."""
    late: dict[str, str] = field(default_factory=dict)
    """Name to what it lacked when its time was over."""

    @property
    def open(self) -> bool:
        """Whether any is left."""
        return bool(self.waiting or self.started)


async def look(hub: KubeClient) -> dict[str, Member]:
    """How far every ManagedCluster of the hub has come, by name."""
    clusters = {c["metadata"]["name"]: c for c in await hub.list_all(MANAGED_CLUSTERS)}
    return {name: member(cluster, name) for name, cluster in clusters.items()}


class Join:
    """One run over one hub. `start` starts a WEC's agent, `credential` says whether its hub kubeconfig is on disk."""

    def __init__(
        self,
        hub: KubeClient,
        *,
        start: Callable[[str], Awaitable[None]],
        credential: Callable[[str], bool],
        ledger: Ledger,
        options: JoinOptions | None = None,
        machine: str = "",
        seat: str = "",
        tail: Callable[[str], str] = lambda _: "",
    ) -> None:
        self.hub = hub
        self.options = options or JoinOptions()
        self.ledger = ledger
        self._start = start
        self._credential = credential
        self._tail = tail
        self._machine = machine
        self._seat = seat
        self._refused: set[str] = set()

    async def run(self, wecs: Iterable[str]) -> dict[str, float]:
        """Bring those WECs in, in that order; seconds that each took.

        Those that are late do not stop the others; DeadlineError at the end names them, what they lack, and shows the
        last lines of the first one's log.
        """
        flight, took = Flight(list(wecs)), dict[str, float]()
        while flight.open:
            await self._launch(flight)
            members = await self.admit(set(flight.started))
            now = time.monotonic()
            for wec, begin in list(flight.started.items()):
                state = members.get(wec, Member())
                if state.complete and self._credential(wec):
                    took[wec] = now - flight.started.pop(wec)
                elif now - begin > self.options.seconds:
                    flight.started.pop(wec)
                    flight.late[wec] = state.missing() or "the hub kubeconfig"
            if flight.started:
                await asyncio.sleep(self.options.poll)
        if flight.late:
            raise DeadlineError(self._late(flight.late))
        return took

    async def admit(self, joining: set[str]) -> dict[str, Member]:
        """One look at the hub: accept and label the clusters of `joining`, approve their requests; their states."""
        if not joining:
            return {}
        members = {wec: state for wec, state in (await look(self.hub)).items() if wec in joining}
        for wec, state in members.items():
            if not state.accepted and not state.leaving:
                await self._accept(wec)
        requests = await self.hub.list_all(CSRS, label_selector=names.CLUSTER_LABEL)
        for csr in requests:
            await self._consider(csr, joining)
        return members

    async def _launch(self, flight: Flight) -> None:
        while flight.waiting and len(flight.started) < self.options.parallelism:
            wec = flight.waiting.pop(0)
            await self._start(wec)
            flight.started[wec] = time.monotonic()

    async def _accept(self, wec: str) -> None:
        try:
            await self.hub.patch(MANAGED_CLUSTERS, wec, acceptance(wec, self._machine))
        except NotFound:
            return  # deleted in between: its agent makes it again
        self.ledger.record(f"managedcluster {wec}", None, "accepted")

    async def _consider(self, csr: Mapping[str, Any], joining: set[str]) -> None:
        name = csr["metadata"]["name"]
        wec = (csr["metadata"].get("labels") or {}).get(names.CLUSTER_LABEL)
        if wec not in joining or not pending(csr):
            return
        reason = objection(csr, joining)
        if reason is None:
            try:
                await self.hub.patch(CSRS, name, approval(), subresource="approval")
            except (NotFound, Conflict):
                return  # seen again in the next round
            self.ledger.record(f"certificatesigningrequest of {wec}", None, "approved")
        elif name not in self._refused:
            self._refused.add(name)
            self.ledger.notes.append(f"certificatesigningrequest {name} was not approved: {reason}")

    def _late(self, late: Mapping[str, str]) -> str:
        lines = [f"{wec}: still lacks {what}" for wec, what in sorted(late.items())]
        first = min(late)
        return (
            f"{len(late)} WECs did not register within {self.options.seconds:.0f} s; run again, or look at the log of"
            f" {names.agent_program(first, self._seat)}:\n" + "\n".join([*lines, *self.ledger.notes, self._tail(first)])
        )
