"""How the machine of some WECs gets into the hub: from the hub's own folder, or with what the hub made for it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from fleet.host.authority import Authority, Subject
from fleet.host.files import private_directory, write_private
from fleet.host.kubeconfig import render_kubeconfig
from fleet.host.layout import Layout
from fleet.install import dial
from fleet.kube.client import KubeClient
from fleet.kube.resources import NAMESPACES
from fleet.managers.ocm import names
from fleet.managers.ocm.identities import (
    BOOTSTRAP_DAYS,
    HubEndpoint,
    Identity,
    bootstrap_kubeconfig,
    identity_kubeconfig,
    with_server,
)


class HubAccess(Protocol):
    """Where agents find the hub, and the credentials that they begin with."""

    @property
    def endpoint(self) -> HubEndpoint:
        """The hub."""
        ...

    def bootstrap(self) -> bytes:
        """A kubeconfig by which an OCM agent may request its own; lives some hours."""
        ...

    def credential(self, identity: Identity) -> bytes:
        """The kubeconfig of a program that runs alongside the agents."""
        ...


@dataclass(frozen=True)
class OwnAccess:
    """On the hub's own machine: its authority is at hand."""

    layout: Layout
    fleet: str
    endpoint: HubEndpoint

    def _authority(self) -> Authority:
        return Authority.ensure(self.layout.pki, "ca", common_name=f"{self.fleet}-ca")

    @property
    def _folder(self) -> Path:
        private_directory(self.layout.root / "hub")
        return self.layout.root / "hub" / "pki"

    def bootstrap(self) -> bytes:
        """As in HubAccess; issued again when it is due."""
        return bootstrap_kubeconfig(self._authority(), self._folder, self.endpoint)

    def credential(self, identity: Identity) -> bytes:
        """As in HubAccess."""
        return identity_kubeconfig(self._authority(), self._folder, identity, self.endpoint)


@dataclass(frozen=True)
class GivenAccess:
    """On another machine: made by the hub, whose keys stay there. All but `server` and `context` are secrets or PEM."""

    server: str
    context: str
    ca: str
    """PEM."""
    registrar: str
    """Kubeconfig of whoever accepts, approves and takes out WECs; it lives some hours and is never stored."""
    first: str
    """The bootstrap kubeconfig."""
    others: Mapping[str, str] = field(default_factory=dict)
    """Kubeconfigs of the programs that run alongside the agents, by `Identity.name`."""
    folder: Path = Path()
    """Where the hub's certificate is kept on this machine."""

    @property
    def endpoint(self) -> HubEndpoint:
        """The hub; its certificate is written alongside the agents."""
        private_directory(self.folder)
        file = self.folder / "hub-ca.crt"
        write_private(file, self.ca.encode())
        return HubEndpoint(self.server, file, self.context)

    def bootstrap(self) -> bytes:
        """As in HubAccess."""
        return self.first.encode()

    def credential(self, identity: Identity) -> bytes:
        """As in HubAccess; KeyError for one that the hub did not make."""
        return self.others[identity.name].encode()


@dataclass(frozen=True)
class LinkedAccess:
    """Through the machine's link: the same credentials for another address."""

    inner: HubAccess
    server: str

    @property
    def endpoint(self) -> HubEndpoint:
        """The hub, as the link shows it: with its own certificate, which names 127.0.0.1 too."""
        return replace(self.inner.endpoint, server=self.server)

    def bootstrap(self) -> bytes:
        """As in HubAccess."""
        return with_server(self.inner.bootstrap(), self.server)

    def credential(self, identity: Identity) -> bytes:
        """As in HubAccess."""
        return with_server(self.inner.credential(identity), self.server)


async def own_endpoint(layout: Layout, its: str, hub: KubeClient, server: str = "") -> HubEndpoint:
    """How agents name the hub; its context carries the uid of the hub's data, so that a rebuilt hub is another one."""
    system = await hub.get(NAMESPACES, "kube-system")
    return HubEndpoint(server or hub.server, layout.pki / "ca.crt", f"{its}-{str(system['metadata']['uid'])[:8]}")


def grant(
    layout: Layout, fleet: str, its: str, identities: Sequence[Identity] = (), *, server: str = "", check: bool = False
) -> GivenAccess | None:
    """What the other machines of the fleet need; None when the hub is not built yet, or (with `check`) does not answer.

    `identities` are those of programs alongside the agents. What lives for hours is made again each time, stored
    nowhere.
    """
    if not layout.kubeconfig(its).exists():
        return None
    endpoint = asyncio.run(_ask(layout, its, server, check=check))
    if endpoint is None:
        return None
    authority = Authority.ensure(layout.pki, "ca", common_name=f"{fleet}-ca")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        subject = Subject(names.REGISTRAR_USER, (names.REGISTRAR_GROUP,), days=BOOTSTRAP_DAYS)
        pair = authority.issue(folder, "registrar", subject)
        registrar = render_kubeconfig(endpoint.server, endpoint.ca, pair.cert, pair.key, endpoint.context)
        bootstrap = bootstrap_kubeconfig(authority, folder, endpoint)
        kept = folder if check else layout.root / "hub" / "pki"
        others = {i.name: identity_kubeconfig(authority, kept, i, endpoint).decode() for i in identities}
    return GivenAccess(
        server=endpoint.server,
        context=endpoint.context,
        ca=endpoint.ca.read_text(encoding="ascii"),
        registrar=registrar.decode(),
        first=bootstrap.decode(),
        others=others,
    )


async def _ask(layout: Layout, its: str, server: str, *, check: bool) -> HubEndpoint | None:
    async with dial.client(layout, its) as hub:
        if check and not await dial.answers(hub):
            return None
        return await own_endpoint(layout, its, hub, server)
