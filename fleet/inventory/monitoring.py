"""Prometheus and the machine's exporter under the fleet's supervisor: configuration, certificates, programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from fleet.errors import HostError, UsageError
from fleet.host.authority import Authority, Subject
from fleet.host.change import Change
from fleet.host.files import private_directory, write_private
from fleet.host.layout import Layout
from fleet.host.machine import Machine
from fleet.host.records import stored_planes
from fleet.host.supervisor_config import Program
from fleet.install.program_parts import loopback, reads
from fleet.inventory import prometheus
from fleet.inventory.components import read_components
from fleet.model.fleet_file import WEC
from fleet.simulators import node_objects, scraped

GROUP = "monitoring"
OWNER = "monitoring"
PORTS = 2
PROMETHEUS, EXPORTER = scraped.PROMETHEUS, "node-exporter"
MONITORING_GROUP = "system:monitoring"
"""Kubernetes' own group for it: /metrics and the health pages, nothing else."""
FEATURE = "--enable-feature=extra-scrape-metrics"
"""With which Prometheus keeps the size of what it scraped."""
COLLECTORS = ("cpu", "meminfo", "pressure", "loadavg", "diskstats", "textfile")


@dataclass(frozen=True)
class MonitoringSpec:
    """What is to run. `rules`: text of the file of recording rules. `interval` and `retention` as Prometheus writes
    durations. `nodes`: how simulated nodes that have a kubelet are scraped."""

    machine: Machine
    prometheus: Path
    exporter: Path
    rules: str
    interval: str = "15s"
    retention: str = "7d"
    nodes: Literal["none", "proxy", "direct"] = "none"

    @property
    def folder(self) -> Path:
        """Everything of the monitoring."""
        return folder_of(self.machine.layout)


def folder_of(layout: Layout) -> Path:
    """`<root>/monitoring`."""
    return layout.root / "monitoring"


def textfile_folder(layout: Layout) -> Path:
    """Where a driver puts the metrics of its run, for the exporter to serve."""
    return folder_of(layout) / "textfile"


def converge_monitoring(spec: MonitoringSpec) -> Change:
    """Write what is needed and start or restart both programs; with `machine.check` only say what would change.

    Targets that come and go are read by the running Prometheus; a change of its configuration restarts it.
    """
    machine = spec.machine
    for program in (spec.prometheus, spec.exporter):
        if not machine.check and not program.is_file():
            raise UsageError(f"{program} is not there: install Debian's prometheus and prometheus-node-exporter")
    live = bool({PROMETHEUS, EXPORTER} & machine.live_programs())
    port = machine.take(OWNER, PORTS, in_use=live).start
    files = _files(spec, port)
    before, after = _differences(files)
    if not machine.check:
        _write(spec, files)
    change = machine.supervisor.converge(GROUP, programs(spec, port), check=machine.check)
    return Change.merge([Change(before, after), change])


def remove_monitoring(machine: Machine) -> Change:
    """End both programs; what they measured stays until the fleet is taken down. Absent is fine."""
    if not (machine.layout.supervisor / "conf.d" / f"{GROUP}.conf").exists():
        return Change.none()
    change = machine.supervisor.converge(GROUP, [], check=machine.check)
    if not machine.check:
        machine.registry.give_back(machine.fleet, OWNER)
    return change


def programs(spec: MonitoringSpec, port: int) -> list[Program]:
    """Prometheus on `port`, the exporter on the next, both on loopback."""
    folder = spec.folder
    server = (
        str(spec.prometheus),
        f"--config.file={_config(spec)}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--storage.tsdb.retention.time={spec.retention}",
        f"--web.listen-address={loopback(port)}",
        FEATURE,
    )
    exporter = (
        str(spec.exporter),
        f"--web.listen-address={loopback(port + 1)}",
        "--collector.disable-defaults",
        *(f"--collector.{name}" for name in COLLECTORS),
        f"--collector.textfile.directory={textfile_folder(spec.machine.layout)}",
    )
    started_with = reads(_config(spec), folder / "rules.yml")
    return [
        Program(EXPORTER, exporter, {}, folder, priority=600),
        Program(PROMETHEUS, server, started_with, folder, priority=610, stop_seconds=30),
    ]


def _config(spec: MonitoringSpec) -> Path:
    return spec.folder / "prometheus.yml"


def _files(spec: MonitoringSpec, port: int) -> dict[Path, bytes]:
    """Every file that is text, by path."""
    layout, folder = spec.machine.layout, spec.folder
    components = [
        one for one in read_components(layout, "localhost", {}) if one.component not in (PROMETHEUS, EXPORTER)
    ]
    roles = {plane.name: plane.role for plane in stored_planes(layout)}
    jobs = prometheus.targets(components, roles)
    jobs["plain"] += prometheus.own_targets({PROMETHEUS: loopback(port), EXPORTER: loopback(port + 1)})
    jobs[scraped.JOB] = _nodes(spec)
    further = prometheus.own_authorities(components)
    document = prometheus.config(_places(spec), fleet=spec.machine.fleet, interval=spec.interval, further=further)
    found = {
        _config(spec): yaml.safe_dump(document, sort_keys=False).encode(),
        folder / "rules.yml": spec.rules.encode(),
    }
    return found | {
        folder / "targets" / f"{job}.json": (json.dumps(entries, indent=1) + "\n").encode()
        for job, entries in jobs.items()
    }


def _nodes(spec: MonitoringSpec) -> list[dict[str, Any]]:
    """Targets of the nodes that the WECs of this machine have now. HostError when an API server does not answer; in
    check mode those that it had are taken to stay."""
    machine, found = spec.machine, []
    if spec.nodes == "none":
        return []
    for plane in stored_planes(machine.layout):
        if plane.role != WEC:
            continue
        endpoint = machine.endpoint(plane.name, plane.server)
        try:
            nodes = [
                scraped.kubelet_of(node)
                for value in scraped.labels_of_kubelets()
                for node in node_objects.of_simulator(plane.name, endpoint, value)
            ]
        except OSError as error:
            if not machine.check:
                raise HostError(f"{plane.name}: its nodes cannot be listed: {error}") from error
            found += [one for one in _listed(spec) if one["labels"]["cluster"] == plane.name]
            continue
        found += [
            scraped.target(plane.name, plane.server, node, page, spec.nodes)
            for node in sorted(nodes, key=lambda one: one.name)
            for page in scraped.PAGES
        ]
    return found


def _listed(spec: MonitoringSpec) -> list[dict[str, Any]]:
    """Targets of nodes as the last run wrote them."""
    try:
        found: list[dict[str, Any]] = json.loads((spec.folder / "targets" / scraped.FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return found


def _places(spec: MonitoringSpec) -> prometheus.Places:
    pki, own = spec.machine.layout.pki, spec.folder / "pki"
    return prometheus.Places(
        rules=spec.folder / "rules.yml",
        targets=spec.folder / "targets",
        ca=pki / "ca.crt",
        etcd_ca=pki / "etcd-ca.crt",
        cert=own / "prometheus.crt",
        key=own / "prometheus.key",
        etcd_cert=own / "etcd-client.crt",
        etcd_key=own / "etcd-client.key",
    )


def _differences(files: Mapping[Path, bytes]) -> tuple[dict[str, str], dict[str, str]]:
    before, after = {}, {}
    for path, content in files.items():
        old = path.read_bytes() if path.exists() else b""
        if old != content:
            before[str(path)], after[str(path)] = old.decode(errors="replace"), content.decode()
    return before, after


def _write(spec: MonitoringSpec, files: Mapping[Path, bytes]) -> None:
    layout, folder = spec.machine.layout, spec.folder
    for directory in (folder, folder / "targets", folder / "data", textfile_folder(layout)):
        private_directory(directory)
    subject = Subject("fleet-prometheus", (MONITORING_GROUP,))
    Authority.ensure(layout.pki, "ca", common_name=f"{spec.machine.fleet}-ca").issue(
        folder / "pki", "prometheus", subject
    )
    etcd = Authority.ensure(layout.pki, "etcd-ca", common_name=f"{spec.machine.fleet}-etcd-ca")
    etcd.issue(folder / "pki", "etcd-client", Subject("fleet-prometheus"))
    for path, content in files.items():
        write_private(path, content)
