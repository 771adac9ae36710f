"""The programs of hub and workers: one Kueue each, with a configuration file and a serving pair of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from fleet.host.authority import Authority, Subject
from fleet.host.files import private_directory, write_private
from fleet.host.supervisor_config import Program
from fleet.install.objects import Ledger
from fleet.install.program_parts import Extra, loopback, reads
from fleet.managers.installer import Site
from fleet.managers.multikueue import names
from fleet.platforms.kueue import names as kueue

PORTS = 3
"""Webhooks, health, profiles. Its metrics want a token of a ServiceAccount: they are off."""
CONFIG, SERVING = "config.json", "serving"


@dataclass(frozen=True)
class Kueue:
    """One of them."""

    site: Site
    component: str
    place: str
    """The hub or a WEC, whose control plane it works on."""
    folder: Path
    port: int
    """The first of its ports."""
    rates: tuple[float, int]
    """Of its client: QPS and burst."""

    @classmethod
    def of(cls, site: Site, component: str, place: str, folder: Path, rates: tuple[float, int]) -> Kueue:
        """Takes its ports."""
        name = names.program(component, place)
        block = site.machine.take(name, PORTS, in_use=name in site.machine.live_programs())
        return cls(site, component, place, folder, block.start, rates)

    @property
    def name(self) -> str:
        """Under the supervisor."""
        return names.program(self.component, self.place)

    @property
    def ready_page(self) -> str:
        """Where it says that it works."""
        return f"http://{loopback(self.port + 1)}/readyz"

    def configuration(self) -> str:
        """Its own file: one process, its client's limits, its pages on loopback, Jobs alone."""
        qps, burst = self.rates
        document = {
            "apiVersion": "config.kueue.x-k8s.io/v1beta2",
            "kind": "Configuration",
            "namespace": kueue.NAMESPACE,
            "health": {"healthProbeBindAddress": loopback(self.port + 1)},
            "metrics": {"bindAddress": "0"},
            "pprofBindAddress": loopback(self.port + 2),
            "webhook": {"host": "127.0.0.1", "port": self.port, "certDir": str(self.folder / SERVING)},
            "leaderElection": {"leaderElect": False},
            "clientConnection": {"qps": qps, "burst": burst},
            # Without it, metrics that are off want a certificate in a folder of the system.
            "internalCertManagement": {
                "enable": True,
                "webhookServiceName": kueue.SERVICE,
                "webhookSecretName": kueue.SECRET,
            },
            "integrations": {"frameworks": ["batch/job"]},
            "featureGates": {"VisibilityOnDemand": False},
        }
        return json.dumps(document, indent=1) + "\n"

    def write(self, ledger: Ledger) -> None:
        """Configuration and serving pair; with `ledger.check` only say what would change."""
        file, text = self.folder / CONFIG, self.configuration()
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            ledger.record(f"configuration of {self.name}", None, "written")
        if ledger.check:
            return
        private_directory(self.folder)
        write_private(file, text.encode())
        authority = Authority.ensure(self.site.layout.pki, "ca", common_name=f"{self.site.machine.fleet}-ca")
        authority.issue(self.folder / SERVING, "tls", Subject(self.component, (), ("127.0.0.1",), client=False))

    def program(self, extra: Extra, priority: int, env: dict[str, str] | None = None) -> Program:
        """Its process, as the admin of its control plane: what it may do is not what is measured."""
        kubeconfig = self.site.layout.kubeconfig(self.place)
        config = self.folder / CONFIG
        argv = (
            str(self.site.upstream.program(names.PROGRAM)),
            f"--config={config}",
            f"--kubeconfig={kubeconfig}",
            "--zap-log-level=error",
            *extra.args,
        )
        whole = {**(env or {}), **reads(kubeconfig, config), **extra.env}
        return Program(self.name, argv, whole, self.folder, priority=priority)
