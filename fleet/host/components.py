"""The command lines of etcd and the Kubernetes components, pure functions of paths and ports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fleet.host.plan import Certificate, ControlPlane

SERVICE_RANGE = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"
ISSUER = "https://kubernetes.default.svc.cluster.local"
PROXY_CLIENT = "front-proxy-client"
"""Common name of an API server that passes requests on."""
QUOTA_BYTES = 8 * 1024**3
"""What kwokctl gives its etcd too; the default of 2 GiB is reached by long experiments."""

BASE_CONTROLLERS = (
    "garbage-collector-controller",
    "namespace-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
)
SIGNING_CONTROLLERS = (
    "certificatesigningrequest-signing-controller",
    "certificatesigningrequest-approving-controller",
    "certificatesigningrequest-cleaner-controller",
)
"""For the registration of WECs."""
WORKLOAD_CONTROLLERS = (
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "daemonset-controller",
    "job-controller",
    "cronjob-controller",
    "endpointslice-controller",
    "node-lifecycle-controller",
)
"""What pods on simulated nodes need; without node-lifecycle the not-ready taint stays and nothing is scheduled."""
WEC_CONTROLLERS = (*BASE_CONTROLLERS, *WORKLOAD_CONTROLLERS)


def controllers(plane: ControlPlane) -> tuple[str, ...]:
    """Of a control plane; a hub holds workload that must not run there, so it has no workload controller ever."""
    if not plane.hub:
        return (*WEC_CONTROLLERS, *plane.controllers)
    return (*BASE_CONTROLLERS, *(SIGNING_CONTROLLERS if plane.signs else ()))


IDLE_GATES = {"DetectCacheInconsistency": False, "SizeBasedListCostEstimate": False}
"""Of WECs. The first lists every resource each five minutes, from etcd and from the cache, to compare them; the second
lists their keys each minute, to price lists that nobody makes."""

IDLE_API_SERVER = ("--feature-gates=" + ",".join(f"{gate}={str(on).lower()}" for gate, on in IDLE_GATES.items()),)
"""The same for an API server of its own; a user's extra arguments come later and can switch them on."""


@dataclass(frozen=True)
class Trust:
    """Files of the fleet's authorities that the programs read."""

    ca: Path
    client_ca: Path
    front_proxy_ca: Path
    etcd_ca: Path
    signer_cert: Path
    signer_key: Path
    sa_public: Path
    sa_private: Path

    @classmethod
    def of(cls, pki: Path, *, hub_signs: bool) -> Trust:
        """The files in the folder `pki`; an API server whose controller manager signs must trust what it
        signs."""
        return cls(
            ca=pki / "ca.crt",
            client_ca=pki / ("hub-client-ca.crt" if hub_signs else "ca.crt"),
            front_proxy_ca=pki / "front-proxy-ca.crt",
            etcd_ca=pki / "etcd-ca.crt",
            signer_cert=pki / "hub-signer.crt",
            signer_key=pki / "hub-signer.key",
            sa_public=pki / "sa.pub",
            sa_private=pki / "sa.key",
        )


@dataclass(frozen=True)
class Store:
    """One etcd: its ports, data and certificates."""

    name: str
    data: Path
    client_port: int
    peer_port: int
    server: Certificate
    client: Certificate
    socket: Path | None = None
    """A second listener, without TLS, in a folder that is only ours. An API server holds some seventy connections to
    its etcd, and those of 25 in one process, each with its handshake and buffers, cost a busy machine more than their
    requests do."""
    tick_ms: int = 250
    """Of its clock. It waits 1 to 5 ticks before it elects itself; by etcd's default it ticks 10 times a second."""

    @property
    def url(self) -> str:
        """Where it serves with TLS."""
        return f"https://127.0.0.1:{self.client_port}"

    @property
    def door(self) -> str:
        """Where API servers find it."""
        return self.url if self.socket is None else f"unix://{self.socket}"

    @property
    def listen(self) -> str:
        """Where it serves."""
        return self.url if self.socket is None else f"{self.url},{self.door}"


def etcd(program: Path, store: Store, trust: Trust, extra: tuple[str, ...]) -> tuple[str, ...]:
    """One member, TLS with client certificates on loopback, alongside a unix socket for the WECs' own API servers.

    Snapshots are ten times as frequent as by default: what is not snapshotted stays in memory.
    """
    peer = f"https://127.0.0.1:{store.peer_port}"
    return (
        str(program),
        f"--name={store.name}",
        f"--data-dir={store.data}",
        f"--listen-client-urls={store.listen}",
        f"--advertise-client-urls={store.url}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster={store.name}={peer}",
        f"--cert-file={store.server.cert}",
        f"--key-file={store.server.key}",
        f"--trusted-ca-file={trust.etcd_ca}",
        "--client-cert-auth=true",
        f"--peer-cert-file={store.server.cert}",
        f"--peer-key-file={store.server.key}",
        f"--peer-trusted-ca-file={trust.etcd_ca}",
        "--peer-client-cert-auth=true",
        f"--quota-backend-bytes={QUOTA_BYTES}",
        f"--heartbeat-interval={store.tick_ms}",
        f"--election-timeout={5 * store.tick_ms}",
        "--snapshot-count=10000",
        "--log-level=warn",
        *extra,
    )


def etcd_credentials(store: Store, trust: Trust) -> tuple[str, ...]:
    """What an API server shows to a store that it reaches with TLS."""
    return (
        f"--etcd-cafile={trust.etcd_ca}",
        f"--etcd-certfile={store.client.cert}",
        f"--etcd-keyfile={store.client.key}",
    )


def kube_apiserver(  # noqa: PLR0917 - each is a part of its command line
    program: Path, address: str, port: int, store: Store, trust: Trust, serving: Certificate, extra: tuple[str, ...]
) -> tuple[str, ...]:
    """RBAC, TLS, no anonymous listener; endpoints of `kubernetes` are off because loopback is not a valid
    endpoint."""
    return (
        str(program),
        f"--bind-address={address}",
        f"--advertise-address={address}",
        f"--secure-port={port}",
        "--endpoint-reconciler-type=none",
        f"--etcd-servers={store.door}",
        *(() if store.socket else etcd_credentials(store, trust)),
        f"--tls-cert-file={serving.cert}",
        f"--tls-private-key-file={serving.key}",
        f"--client-ca-file={trust.client_ca}",
        f"--requestheader-client-ca-file={trust.front_proxy_ca}",
        f"--requestheader-allowed-names={PROXY_CLIENT}",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--service-account-key-file={trust.sa_public}",
        f"--service-account-signing-key-file={trust.sa_private}",
        f"--service-account-issuer={ISSUER}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--authorization-mode=RBAC",
        *extra,
    )


def kubelet_client(trust: Trust, client: Certificate) -> tuple[str, ...]:
    """How an API server dials the kubelets of its nodes: at their address, since nobody resolves their names; each side
    verifies the other."""
    return (
        f"--kubelet-certificate-authority={trust.ca}",
        f"--kubelet-client-certificate={client.cert}",
        f"--kubelet-client-key={client.key}",
        "--kubelet-preferred-address-types=InternalIP",
    )


def proxy_client(certificate: Certificate) -> tuple[str, ...]:
    """What an API server shows to the servers that it passes requests on to, so that they believe whose these are."""
    return (f"--proxy-client-cert-file={certificate.cert}", f"--proxy-client-key-file={certificate.key}")


NO_LISTENER = ("--secure-port=0",)
ETCD_DEBUG = ("--enable-pprof",)
"""Also makes etcd sample one of five contended mutexes: not for a store that is being measured."""


def debug_listener(port: int, serving: Certificate, trust: Trust, kubeconfig: Path) -> tuple[str, ...]:
    """Metrics and profiles on loopback; callers show a client certificate that the API server judges."""
    return (
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={serving.cert}",
        f"--tls-private-key-file={serving.key}",
        f"--client-ca-file={trust.client_ca}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
    )


def kube_controller_manager(  # noqa: PLR0917 - each is a part of its command line
    program: Path,
    plane: ControlPlane,
    kubeconfig: Path,
    trust: Trust,
    extra: tuple[str, ...],
    listener: tuple[str, ...] = NO_LISTENER,
) -> tuple[str, ...]:
    """Only the controllers that `plane` needs; no listener by default, no election (there is one of it)."""
    signing = (
        (f"--cluster-signing-cert-file={trust.signer_cert}", f"--cluster-signing-key-file={trust.signer_key}")
        if plane.signs
        else ()
    )
    return (
        str(program),
        f"--kubeconfig={kubeconfig}",
        *listener,
        "--leader-elect=false",
        f"--controllers={','.join(controllers(plane))}",
        f"--service-account-private-key-file={trust.sa_private}",
        f"--root-ca-file={trust.ca}",
        *signing,
        *extra,
    )


def kube_scheduler(
    program: Path, kubeconfig: Path, extra: tuple[str, ...], listener: tuple[str, ...] = NO_LISTENER
) -> tuple[str, ...]:
    """No listener by default, no election."""
    return (str(program), f"--kubeconfig={kubeconfig}", *listener, "--leader-elect=false", *extra)
