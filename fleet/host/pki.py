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
    signer: Authority
    """Signs the CertificateSigningRequests of the hub (its controller manager holds the key)."""
    service_account: Pair
    hub_client_ca: Path
    """Bundle of `ca` and `signer`: whom the hub's API servers trust as clients."""
    changed: bool

    @classmethod
    def ensure(cls, directory: Path, fleet: str) -> FleetPki:
        """Load or make them; files are `ca`, `front-proxy-ca`, `hub-signer`, `sa`, `hub-client-ca.crt`."""
        ca = Authority.ensure(directory, "ca", common_name=f"{fleet}-ca")
        front_proxy = Authority.ensure(directory, "front-proxy-ca", common_name=f"{fleet}-front-proxy-ca")
        signer = Authority.ensure(directory, "hub-signer", common_name=f"{fleet}-hub-signer")
        keys = ensure_signing_keys(directory)
        bundle = directory / "hub-client-ca.crt"
        changed = ensure_bundle(bundle, (ca, signer))
        return cls(
            ca,
            front_proxy,
            signer,
            keys,
            bundle,
            any((ca.changed, front_proxy.changed, signer.changed, keys.changed, changed)),
        )

    @classmethod
    def exists(cls, directory: Path) -> bool:
        """Whether it was made before."""
        return (directory / "hub-client-ca.crt").exists()
