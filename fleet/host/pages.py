"""Where a program serves metrics and profiles, and by which certificate, read from how it was started."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.host.layout import Layout
from fleet.model.fleet_file import ClientTls

PPROF = "/debug/pprof"


@dataclass(frozen=True)
class Pages:
    """The metrics page and the root of the profiles of one program; empty where it has none."""

    metrics: str = ""
    pprof: str = ""
    tls: ClientTls | None = None
    cpu: bool = True
    """Whether profiles of the CPU are among its profiles."""

    def fields(self) -> dict[str, Any]:
        """As keywords of a Component."""
        return {"metrics": self.metrics, "pprof": self.pprof, "tls": self.tls, "cpu_profile": self.cpu}


@dataclass(frozen=True)
class Started:
    """A program as it was started."""

    layout: Layout
    servers: Mapping[str, str]
    """URL of each API server of the machine by the name of its control plane."""
    place: str
    """The part of its name behind the component: of most its control plane; of one at a further hub, that hub."""
    argv: Sequence[str]

    def flag(self, name: str) -> str:
        """The value of `--name=value`; the last one wins, because the user's come last. Empty when it is not given."""
        begins = f"--{name}="
        return next((word.removeprefix(begins) for word in reversed(self.argv) if word.startswith(begins)), "")

    def behind(self, base: str, cluster: str) -> Pages:
        """Of a server with TLS that trusts the fleet's authority and asks `cluster` who may look: its admin may. `base`
        is its URL, empty when it does not listen."""
        if not base:
            return Pages()
        own = self.layout.cluster(cluster) / "pki"
        tls = ClientTls(ca=str(self.layout.pki / "ca.crt"), cert=str(own / "admin.crt"), key=str(own / "admin.key"))
        return Pages(f"{base}/metrics", f"{base}{PPROF}", tls)


Reader = Callable[[Started], Pages]


def plain(metrics: str, pprof: str = "") -> Pages:
    """Servers without TLS; an address of `0` is one that is switched off."""
    return Pages(
        f"http://{metrics}/metrics" if metrics not in ("", "0") else "",
        f"http://{pprof}{PPROF}" if pprof not in ("", "0") else "",
    )


def by_flags(started: Started) -> Pages:
    """Of most programs."""
    return plain(started.flag("metrics-bind-address"), started.flag("pprof-bind-address"))


def of_api_server(started: Started) -> Pages:
    """kube-apiserver."""
    return started.behind(started.servers.get(started.place, ""), started.place)


def of_listener(started: Started) -> Pages:
    """kube-controller-manager and kube-scheduler, which listen only when debugging is requested."""
    port = started.flag("secure-port")
    return started.behind(f"https://127.0.0.1:{port}" if port not in ("", "0") else "", started.place)


def of_etcd(started: Started) -> Pages:
    """etcd: its own client certificate opens it."""
    urls = [url for url in started.flag("listen-client-urls").split(",") if url.startswith("https://")]
    if not urls:
        return Pages()
    own = Path(started.flag("cert-file")).parent
    ca = started.flag("trusted-ca-file")
    tls = ClientTls(ca=ca, cert=str(own / "etcd-client.crt"), key=str(own / "etcd-client.key"))
    profiled = "--enable-pprof" in started.argv or started.flag("enable-pprof") == "true"
    return Pages(f"{urls[0]}/metrics", f"{urls[0]}{PPROF}" if profiled else "", tls)


CONTROL_PLANES: Mapping[str, Reader] = {
    "etcd": of_etcd,
    "kube-apiserver": of_api_server,
    "kube-controller-manager": of_listener,
    "kube-scheduler": of_listener,
}
"""Components of control planes that are the same under several drivers; a driver's own are in its package."""
