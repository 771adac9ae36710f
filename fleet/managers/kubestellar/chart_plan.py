"""The hub by KubeStellar's own chart: values, files and commands from the inventory's variables. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from fleet.errors import KubeError, UsageError
from fleet.host.drivers.kind import config as kind_config
from fleet.host.machine import Machine
from fleet.host.plan import ControlPlane, TextFile, plane_file
from fleet.host.plan import url as https_url
from fleet.model.client_limits import ClientLimits

NAMESPACE = "default"
"""Of KubeStellar's release, as in its documentation."""
KUBESTELLAR, INGRESS = "ks-core", "ingress-nginx"
HELM_SECONDS = 900
"""A first install pulls a dozen images."""
SETTABLE = {
    "transport_its_qps": ("transport_controller", "transport_qps"),
    "transport_its_burst": ("transport_controller", "transport_burst"),
    "transport_wds_qps": ("transport_controller", "wds_qps"),
    "transport_wds_burst": ("transport_controller", "wds_burst"),
    "max_num_wrapped": ("transport_controller", "max_num_wrapped"),
    "max_size_wrapped": ("transport_controller", "max_size_wrapped"),
    "status_hub_qps": ("status_agent", "hub_qps"),
    "status_hub_burst": ("status_agent", "hub_burst"),
    "status_local_qps": ("status_agent", "local_qps"),
    "status_local_burst": ("status_agent", "local_burst"),
}
"""Our client limits to the chart's values (v0.30.0)."""
OF_THE_HUB = ("controller_", "transport_", "max_")
"""How the names of the limits begin that KubeStellar's programs have; the others are those of agents, which we run."""


@dataclass(frozen=True)
class Chart:
    """Where a chart is, as `helm` takes it: oci://, https:// or a file; and its version unless that says it."""

    reference: str
    version: str = ""

    def words(self) -> list[str]:
        """Arguments of `helm`."""
        return [self.reference, *([f"--version={self.version}"] if self.version else [])]


@dataclass(frozen=True)
class Release:
    """One `helm upgrade --install`."""

    name: str
    namespace: str
    chart: Chart
    values: TextFile

    def argv(self, kubeconfig: Path) -> list[str]:
        """The command."""
        return [
            "helm", "upgrade", "--install", self.name, *self.chart.words(), f"--namespace={self.namespace}",
            "--create-namespace", f"--kubeconfig={kubeconfig}", f"--values={self.values.path}", "--wait",
            f"--timeout={HELM_SECONDS}s",
        ]  # fmt: skip

    def digest(self) -> str:
        """Of all that decides what is installed."""
        return hashlib.sha256("\n".join([*self.chart.words(), self.values.text]).encode()).hexdigest()


@dataclass(frozen=True)
class ChartSpec:
    """A hub by chart: the ITS is the kind cluster itself (KubeFlex calls it `host`), the WDSes are inside it."""

    machine: Machine
    its: str = "its1"
    wdses: tuple[str, ...] = ("wds1",)
    limits: ClientLimits = field(default_factory=ClientLimits)
    kubestellar: Chart = Chart("")
    ingress: Chart = Chart("")
    bind_address: str = "127.0.0.1"
    forbidden: Mapping[str, Any] = field(default_factory=dict)
    """Variables of the inventory that have no effect on programs in pods, by name, as they are set."""

    @property
    def folder(self) -> Path:
        """What is ours of both releases: values, helm's own files, what was installed."""
        return self.machine.layout.root / "hub" / "chart"

    @property
    def kubeconfig(self) -> Path:
        """Of the kind cluster."""
        return self.machine.layout.kubeconfig(self.its)

    def check(self) -> None:
        """UsageError for what the chart offers no value for, and for a machine's options that cannot work with it."""
        problems = [
            f"{name} cannot be set with hub_driver: chart" for name in sorted(self.forbidden) if self.forbidden[name]
        ]
        defaults = ClientLimits()
        problems += [
            f"{limit} must be {getattr(defaults, limit)}, KubeStellar's chart has no value for it"
            for limit in sorted(item for item in ClientLimits.model_fields if item.startswith(OF_THE_HUB))
            if limit not in SETTABLE and getattr(self.limits, limit) != getattr(defaults, limit)
        ]
        for name, chart in (("hub_chart", self.kubestellar), ("hub_chart_ingress", self.ingress)):
            if not chart.reference or chart.reference.startswith("-"):
                problems.append(f"{name}: {chart.reference!r} names no chart")
        options = self.machine.options
        if options.engine != "system":
            problems.append("container_engine must be system: a Docker of the fleet's own lets no pod pull its image")
        if not options.node_image or options.node_image.startswith(kind_config.PREFIX):
            problems.append(
                "kind_node_image must be published or one of yours: ours has no service addresses and no names"
            )
        if problems:
            raise UsageError(f"hub_driver: chart: {'; '.join(problems)}. Nothing was changed.")

    def releases(self, ingress_port: int) -> tuple[Release, Release]:
        """The ingress controller, then KubeStellar; `ingress_port` is the host's port of the first."""
        container = kind_config.container_name(self.machine.fleet, self.its)
        return (
            Release(INGRESS, INGRESS, self.ingress, self._file(INGRESS, ingress_values())),
            Release(
                KUBESTELLAR,
                NAMESPACE,
                self.kubestellar,
                self._file(KUBESTELLAR, kubestellar_values(self, ingress_port, container)),
            ),
        )

    def probes(self) -> list[list[str]]:
        """Commands that tell whether both charts can be had from here."""
        return [["helm", "show", "chart", *chart.words()] for chart in (self.ingress, self.kubestellar)]

    def record(self, wds: str, ingress_port: int) -> TextFile:
        """What tells the rest of the testbed of a WDS, as the drivers' records do."""
        plane = ControlPlane(wds, "wds", "chart", self.bind_address)
        return plane_file(self.machine.layout, plane, https_url(self.bind_address, ingress_port))

    def _file(self, release: str, values: Mapping[str, Any]) -> TextFile:
        text = yaml.safe_dump(dict(values), sort_keys=False, width=1000)
        return TextFile(self.folder / f"{release}.yaml", str(text))


def kubestellar_values(spec: ChartSpec, ingress_port: int, container: str) -> dict[str, Any]:
    """Values of KubeStellar's core chart: spaces, client limits, and how KubeFlex is reached from outside."""
    values: dict[str, Any] = {
        "kubeflex-operator": {"install": True, "externalPort": ingress_port, "hostContainer": container},
        "InstallPCHs": True,
        "ITSes": [{"name": spec.its, "type": "host"}],
        "WDSes": [{"name": wds, "type": "k8s", "ITSName": spec.its} for wds in spec.wdses],
    }
    for limit, (section, name) in SETTABLE.items():
        number = getattr(spec.limits, limit)
        values.setdefault(section, {})[name] = int(number) if number == int(number) else number
    return values


def ingress_values() -> dict[str, Any]:
    """Values of the ingress controller's chart: TLS handed through unopened, on the node's own port 443."""
    return {
        "controller": {
            "extraArgs": {"enable-ssl-passthrough": "true"},
            "hostPort": {"enabled": True},
            "nodeSelector": {kind_config.INGRESS_LABEL: "true"},
            "publishService": {"enabled": False},
            "service": {"type": "NodePort"},
            "tolerations": [{"key": kind_config.CONTROL_PLANE_TAINT, "operator": "Exists", "effect": "NoSchedule"}],
            "watchIngressWithoutClass": True,
        }
    }


def relocated(kubeconfig: bytes, server: str, context: str) -> bytes:
    """KubeFlex's kubeconfig of one WDS, dialled at `server` whatever its name resolves to.

    The certificate is still held against the name that it was made for. KubeError when it is no such kubeconfig.
    """
    try:
        document = yaml.safe_load(kubeconfig)
        chosen = next(c for c in document["contexts"] if c["name"] == document["current-context"])["context"]
        cluster = dict(next(c for c in document["clusters"] if c["name"] == chosen["cluster"])["cluster"])
        user = dict(next(u for u in document["users"] if u["name"] == chosen["user"])["user"])
        name = urlsplit(cluster["server"]).hostname
    except (yaml.YAMLError, KeyError, TypeError, StopIteration) as error:
        raise KubeError(
            f"KubeFlex's Secret holds no kubeconfig with a chosen context ({type(error).__name__})", cluster=context
        ) from error
    answer = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": cluster | {"server": server, "tls-server-name": name}}],
        "users": [{"name": context, "user": user}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "current-context": context,
    }
    return str(yaml.safe_dump(answer, sort_keys=False)).encode()


def transcript(spec: ChartSpec, ingress_port: int) -> str:
    """Files and commands in their order, for people and golden files."""
    lines = []
    for probe in spec.probes():
        lines += ["run " + " ".join(probe)]
    for release in spec.releases(ingress_port):
        lines += [f"write 0600 {release.values.path}:"]
        lines += [f"    {line}" for line in release.values.text.splitlines()]
        lines += ["run:", *(f"    {word}" for word in release.argv(spec.kubeconfig))]
    for wds in spec.wdses:
        record = spec.record(wds, ingress_port)
        lines += [f"write 0600 {record.path}:", *(f"    {line}" for line in record.text.splitlines())]
    return "\n".join(lines) + "\n"
