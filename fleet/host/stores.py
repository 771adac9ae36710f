"""The certificates of a store and of an API server, the same under every driver."""

from __future__ import annotations

from pathlib import Path

from fleet.host.components import PROXY_CLIENT, SERVICE_ADDRESS, Store
from fleet.host.pki import ADMIN_GROUP, Subject
from fleet.host.plan import Certificate, ControlPlane


def plan_store(
    name: str,
    data: Path,
    certificates: Path,
    client_port: int,
    peer_port: int,
    *,
    socket: Path | None = None,
    tick_ms: int = 250,
) -> Store:
    """One etcd with the certificates of both sides; its gateway dials itself, so its own may also act as a
    client."""
    own = Certificate(
        certificates, "etcd-server", "etcd-ca", Subject("etcd", (), ("127.0.0.1", "localhost"), client=True)
    )
    client = Certificate(certificates, "etcd-client", "etcd-ca", Subject("kube-apiserver-etcd-client"))
    return Store(name, data, client_port, peer_port, own, client, socket, tick_ms)


def proxy_certificates(certificates: Path, plane: ControlPlane) -> tuple[Certificate, ...]:
    """What the API server shows to servers that it passes requests on to; none where it passes none on."""
    subject = Subject(PROXY_CLIENT)
    return (Certificate(certificates, PROXY_CLIENT, "front-proxy-ca", subject),) if plane.aggregates else ()


def serving_certificate(certificates: Path, plane: ControlPlane) -> Certificate:
    """What the API server shows: its address, and the names of the service `kubernetes`."""
    service = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    names = tuple(dict.fromkeys((plane.bind_address, "127.0.0.1", "localhost", *service, SERVICE_ADDRESS)))
    return Certificate(certificates, "kube-apiserver", "ca", Subject("kube-apiserver", (), names, client=False))


def kubelet_client_certificate(certificates: Path) -> Certificate:
    """What an API server shows to kubelets; kubeadm gives it the same name and group."""
    return Certificate(certificates, "kubelet-client", "ca", Subject("kube-apiserver-kubelet-client", (ADMIN_GROUP,)))
