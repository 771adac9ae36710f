"""Where each program tells of itself (metrics, profiles) and what to show there, read from how it was started."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.host.layout import Layout
from fleet.managers.kubestellar import status_config
from fleet.managers.ocm import names
from fleet.model.fleet_file import ClientTls

PPROF = "/debug/pprof"
OCM = ("registration", "ocm-agent")
LISTENERS = ("kube-controller-manager", "kube-scheduler")


@dataclass(frozen=True)
class Door:
    """The metrics page and the root of the profiles of one program; empty where it has none."""

    metrics: str = ""
    pprof: str = ""
    tls: ClientTls | None = None

    def fields(self) -> dict[str, Any]:
        """As keywords of a Component."""
        return {"metrics": self.metrics, "pprof": self.pprof, "tls": self.tls}


@dataclass(frozen=True)
class Doors:
    """Of the programs of one machine. `servers`: URL of each API server by the name of its control plane."""

    layout: Layout
    servers: Mapping[str, str]

    def of(self, component: str, cluster: str, argv: Sequence[str]) -> Door:
        """The door of one program; `cluster` is the part of its name behind the component, of a status agent its
        seat."""
        if component == "etcd":
            door = self._etcd(argv)
        elif component == "dense":
            door = self._dense(cluster)
        elif component == "kwok":
            door = _plain(flag(argv, "server-address"), flag(argv, "server-address"))
        elif component == names.STATUS_PROGRAM:
            door = _plain(self._status_address(cluster), "")
        elif component in ("kube-apiserver", *LISTENERS, *OCM):
            door = self._https(self._base(component, cluster, argv), cluster)
        else:
            door = _plain(flag(argv, "metrics-bind-address"), flag(argv, "pprof-bind-address"))
        return door

    def _base(self, component: str, cluster: str, argv: Sequence[str]) -> str:
        """URL of a server with TLS that trusts the fleet's authority; empty when it does not listen."""
        if component == "kube-apiserver":
            return self.servers.get(cluster, "")
        if component in LISTENERS:
            port = flag(argv, "secure-port")
            return f"https://127.0.0.1:{port}" if port not in ("", "0") else ""
        # Without a certificate of the fleet (an older build) nobody could tell it from a stranger.
        return f"https://{flag(argv, 'listen')}" if flag(argv, "config") else ""

    def _https(self, base: str, cluster: str) -> Door:
        """A server that asks the control plane `cluster` who may look: its admin may."""
        if not base:
            return Door()
        own = self.layout.cluster(cluster) / "pki"
        tls = ClientTls(ca=str(self.layout.pki / "ca.crt"), cert=str(own / "admin.crt"), key=str(own / "admin.key"))
        return Door(f"{base}/metrics", f"{base}{PPROF}", tls)

    def _etcd(self, argv: Sequence[str]) -> Door:
        urls = [url for url in flag(argv, "listen-client-urls").split(",") if url.startswith("https://")]
        if not urls:
            return Door()
        own = Path(flag(argv, "cert-file")).parent
        ca = flag(argv, "trusted-ca-file")
        tls = ClientTls(ca=ca, cert=str(own / "etcd-client.crt"), key=str(own / "etcd-client.key"))
        profiled = "--enable-pprof" in argv or flag(argv, "enable-pprof") == "true"
        return Door(f"{urls[0]}/metrics", f"{urls[0]}{PPROF}" if profiled else "", tls)

    def _dense(self, shard: str) -> Door:
        """Profiles over its admin socket; its metrics, which are all instances' together, by its first instance."""
        instances = sorted((self.layout.dense / shard / "instances").glob("*.json"))
        server = self.servers.get(instances[0].stem, "") if instances else ""
        metrics = self._https(server, instances[0].stem) if server else Door()
        return Door(metrics.metrics, f"unix:{self.layout.run / f'dense-{shard}.sock'}:{PPROF}", metrics.tls)

    def _status_address(self, seat: str) -> str:
        try:
            document = json.loads(status_config.config_file(self.layout, seat).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return ""
        return str(document.get("metrics_address") or "")


def flag(argv: Sequence[str], name: str) -> str:
    """The value of `--name=value`; the last one wins, because the user's come last. Empty when it is not given."""
    begins = f"--{name}="
    return next((word.removeprefix(begins) for word in reversed(argv) if word.startswith(begins)), "")


def _plain(metrics: str, pprof: str) -> Door:
    """A server without TLS; an address of `0` is one that is switched off."""
    return Door(
        f"http://{metrics}/metrics" if metrics not in ("", "0") else "",
        f"http://{pprof}{PPROF}" if pprof not in ("", "0") else "",
    )
