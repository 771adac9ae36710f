"""The files by which agents get in: bootstrap kubeconfigs, and hub credentials that are still good or must go."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Collection, Iterable
from pathlib import Path

from fleet.host.files import write_private
from fleet.host.layout import Layout
from fleet.install import dial
from fleet.managers.ocm import spoke
from fleet.managers.ocm.access import HubAccess
from fleet.managers.ocm.identities import client_certificate, same_hub, server_of
from fleet.managers.ocm.names import agent_program
from fleet.managers.ocm.programs import AgentFiles

PARALLELISM = 8
ORPHANED = "orphaned: the hub has no ManagedCluster of that name"
MOVED = "moved: the hub is reached at another address"
"""OCM's agent names what it applied after the address, so what it applied by the old one must go."""
MARGIN = datetime.timedelta(hours=1)
"""A registration may take minutes; a bootstrap certificate with less left is replaced before one begins."""


class Credentials:
    """Of all agents of one machine towards one hub; `seat` is its place among several (fleet.managers.ocm.names.at)."""

    def __init__(self, layout: Layout, access: HubAccess, its: str, seat: str = "") -> None:
        self.layout = layout
        self.access = access
        self.endpoint = access.endpoint
        self.its = its
        self.seat = seat

    async def faults(
        self, wecs: Iterable[str], clusters: Collection[str], live: Collection[str] = ()
    ) -> dict[str, str]:
        """WECs whose hub credential is of no use any more, and why.

        `clusters` are the ManagedClusters of the hub: an agent makes its own only while it has no credential. `live`
        are running programs: an agent writes its credential when it gets it and when it starts, so that one without
        the file would go on without.
        """
        gate = asyncio.Semaphore(PARALLELISM)
        allowed = dial.places(self.layout, self.endpoint.server)

        async def one(wec: str) -> tuple[str, str | None]:
            kubeconfig = self._files(wec).hub_kubeconfig
            if not kubeconfig.exists():
                return wec, "missing" if agent_program(wec, self.seat) in live else None
            if wec not in clusters:
                return wec, ORPHANED
            if server_of(kubeconfig.read_bytes()) not in ("", self.endpoint.server):
                return wec, MOVED
            async with gate:
                return wec, await spoke.credential_fault(kubeconfig, wec, self.its, allowed)

        found = await asyncio.gather(*(one(wec) for wec in wecs))
        return {wec: fault for wec, fault in found if fault is not None}

    def write_bootstrap(self, wecs: Iterable[str], joining: Collection[str]) -> list[str]:
        """Write the bootstrap kubeconfigs that have to be written; the WECs whose file changed.

        A WEC that is in keeps an ended one: its agent reads the file only to see that the hub is still the same.
        """
        due = [wec for wec in wecs if self._due(self._files(wec).bootstrap, joining=wec in joining)]
        if not due:
            return []
        document = self.access.bootstrap()
        return [wec for wec in due if write_private(self._files(wec).bootstrap, document)]

    def _files(self, wec: str) -> AgentFiles:
        return AgentFiles.of(self.layout, wec, self.seat)

    def _due(self, file: Path, *, joining: bool) -> bool:
        try:
            document = file.read_bytes()
        except FileNotFoundError:
            return True
        if not same_hub(document, self.endpoint):
            return True
        certificate = client_certificate(document)
        if certificate is None:
            return True
        return joining and certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC) < MARGIN
