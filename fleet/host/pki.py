"""The names that other packages import: authorities, certificates and kubeconfigs of one fleet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fleet.host.authority import Authority, Pair, Subject, ensure_bundle, ensure_signing_keys, not_after
from fleet.host.kubeconfig import render_kubeconfig, write_kubeconfig

__all__ = [
    "ADMIN_GROUP",
    "Authority",
    "FleetPki",
    "Pair",
    "Subject",
    "ensure_bundle",
    "ensure_signing_keys",
    "not_after",
    "render_kubeconfig",
    "write_kubeconfig",
]

ADMIN_GROUP = "system:masters"


@dataclass(frozen=True)
class FleetPki:
    """All authorities of one fleet, in `<root>/pki`."""

    ca: Authority
    """Signs every server and client certificate of the fleet."""
    front_proxy: Authority
    """The requestheader authority: only an aggregating API server may speak for others."""
    etcd: Authority
    """Signs etcd's servers and their only clients, the API servers: no other certificate of the fleet
    opens a store."""
    signer: Authority
    """Signs the CertificateSigningRequests of the hub (its controller manager holds the key)."""
    service_account: Pair
    hub_client_ca: Path
    """Bundle of `ca` and `signer`: whom the hub's API servers trust as clients."""
    changed: bool

    @classmethod
    def ensure(cls, directory: Path, fleet: str) -> FleetPki:
        """Load or make them; files are `ca`, `front-proxy-ca`, `etcd-ca`, `hub-signer`, `sa`,
        `hub-client-ca.crt`."""
        ca = Authority.ensure(directory, "ca", common_name=f"{fleet}-ca")
        front_proxy = Authority.ensure(directory, "front-proxy-ca", common_name=f"{fleet}-front-proxy-ca")
        etcd = Authority.ensure(directory, "etcd-ca", common_name=f"{fleet}-etcd-ca")
        signer = Authority.ensure(directory, "hub-signer", common_name=f"{fleet}-hub-signer")
        keys = ensure_signing_keys(directory)
        bundle = directory / "hub-client-ca.crt"
        changed = ensure_bundle(bundle, (ca, signer))
        changes = (ca.changed, front_proxy.changed, etcd.changed, signer.changed, keys.changed, changed)
        return cls(ca, front_proxy, etcd, signer, keys, bundle, any(changes))

    @classmethod
    def load(cls, directory: Path) -> FleetPki | None:
        """What is there, without changing anything; None when there is nothing yet, or only a part."""
        try:
            ca, front_proxy, etcd, signer = (
                Authority(Pair(directory / f"{name}.crt", directory / f"{name}.key"))
                for name in ("ca", "front-proxy-ca", "etcd-ca", "hub-signer")
            )
        except (FileNotFoundError, ValueError):
            return None
        keys = Pair(directory / "sa.pub", directory / "sa.key")
        return cls(ca, front_proxy, etcd, signer, keys, directory / "hub-client-ca.crt", changed=False)

    def authority(self, name: str) -> Authority:
        """The authority of that name (`fleet.host.plan.AuthorityName`)."""
        return {"ca": self.ca, "front-proxy-ca": self.front_proxy, "etcd-ca": self.etcd, "hub-signer": self.signer}[
            name
        ]
