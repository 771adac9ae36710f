"""Prometheus' configuration and its lists of targets: pure functions of the fleet's programs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fleet.host.drivers.driver import own_components
from fleet.host.pages import CONTROL_PLANES
from fleet.model.fleet_file import WEC, Component, Role
from fleet.simulators import scraped

KEPT_OF_AGENTS = "(process|go_goroutines|go_memstats_heap|go_gc_duration|rest_client|workqueue|up).*"
"""Of what runs alongside the control plane of each WEC, the manager's agents and the simulator of its nodes: of a
hundred such pages only these names are kept."""
DROPPED = (
    "(apiserver_request_sli_duration_seconds|apiserver_request_body_size_bytes|apiserver_response_sizes|"
    "apiserver_watch_events_sizes|apiserver_watch_list_duration_seconds|apiserver_admission_.*|"
    "etcd_request_duration_seconds|workqueue_.*)_bucket"
)
"""Histograms that no panel and no rule reads, most of an API server's 20,000 series."""
KEPT_OF_NODES = "(kubelet_running_|kubelet_node_name|kubelet_started_|node_|pod_|container_).*"
"""Of a node: kubelets of one process serve the metrics of all its nodes, of which one page among the agents has all."""
JOBS = ("hub", "wecs", "agents", "etcd", "plain")
"""Of programs; nodes have one of their own."""


@dataclass(frozen=True)
class Places:
    """Files that the configuration names."""

    rules: Path
    targets: Path
    """Folder of one file per job."""
    ca: Path
    etcd_ca: Path
    cert: Path
    key: Path
    etcd_cert: Path
    etcd_key: Path


def config(places: Places, *, fleet: str, interval: str, further: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The whole of prometheus.yml; `further` are jobs of single programs.

    Client certificates stand in the jobs, targets in files that are read again.
    """
    api = {"ca_file": str(places.ca), "cert_file": str(places.cert), "key_file": str(places.key)}
    etcd = {"ca_file": str(places.etcd_ca), "cert_file": str(places.etcd_cert), "key_file": str(places.etcd_key)}
    return {
        "global": {
            "scrape_interval": interval,
            "scrape_timeout": interval,
            "evaluation_interval": interval,
            "external_labels": {"fleet": fleet},
        },
        "rule_files": [str(places.rules)],
        "scrape_configs": [
            _job("hub", places, tls=api, relabel=[_drop(DROPPED)]),
            _job("wecs", places, tls=api, relabel=[_drop(DROPPED)]),
            _job("agents", places, tls=api, relabel=[_keep(KEPT_OF_AGENTS)]),
            _job("etcd", places, tls=etcd, relabel=[]),
            _job("plain", places, tls=None, relabel=[]),
            of_nodes(places, tls=api),
            *(dict(job) for job in further),
        ],
    }


def targets(components: Iterable[Component], roles: Mapping[str, Role]) -> dict[str, list[dict[str, Any]]]:
    """`file_sd` documents by job: one entry per program that has metrics, with what it is as labels.

    `roles` by name of control plane.
    """
    carriers = own_components()
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for component in sorted(components, key=lambda one: one.program):
        if not component.metrics or _apart(component):
            continue
        parts = urlsplit(component.metrics)
        role = roles.get(component.cluster, WEC if component.component in carriers else "")
        labels = {
            "program": component.program,
            "component": component.component,
            "cluster": component.cluster,
            "machine": component.machine,
            "role": role,
            # A simulator without TLS is among the agents: a job has one scheme, a target may have its own.
            "__scheme__": parts.scheme,
        }
        found[_job_of(component, role, carriers)].append(
            {"targets": [parts.netloc], "labels": {name: value for name, value in labels.items() if value}}
        )
    return {job: found.get(job, []) for job in JOBS}


def _apart(component: Component) -> bool:
    """Whether it has an authority of its own, and so a job of its own: a job trusts one."""
    return component.tls is not None and bool(component.tls.server_name)


def own_authorities(components: Iterable[Component]) -> list[dict[str, Any]]:
    """A job for each program with an authority of its own; `pod` and `container` as a cluster's Prometheus would say,
    so that queries of its project work."""
    jobs = []
    for component in sorted(components, key=lambda one: one.program):
        if not component.metrics or component.tls is None or not _apart(component):
            continue
        labels = {
            "program": component.program,
            "component": component.component,
            "cluster": component.cluster,
            "instance": component.program,
            "pod": component.program,
            "container": component.component,
        }
        jobs.append(
            {
                "job_name": component.program,
                "scheme": "https",
                "static_configs": [{"targets": [urlsplit(component.metrics).netloc], "labels": labels}],
                "tls_config": {"ca_file": component.tls.ca, "server_name": component.tls.server_name},
            }
        )
    return jobs


def own_targets(programs: Mapping[str, str]) -> list[dict[str, Any]]:
    """Entries of Prometheus itself and its exporter: name -> host:port."""
    return [
        {"targets": [address], "labels": {"program": name, "component": name, "__scheme__": "http"}}
        for name, address in sorted(programs.items())
    ]


def _job_of(component: Component, role: str, carriers: Collection[str]) -> str:
    if component.component == "etcd":
        return "etcd"
    if role == WEC and component.component not in CONTROL_PLANES and component.component not in carriers:
        return "agents"
    if component.tls is None:
        return "plain"
    return "wecs" if role == WEC else "hub"


def _job(
    name: str, places: Places, *, tls: Mapping[str, str] | None, relabel: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    job: dict[str, Any] = {
        "job_name": name,
        "scheme": "https" if tls else "http",
        "file_sd_configs": [{"files": [str(places.targets / f"{name}.json")]}],
        # The port says nothing to anyone; the program's name does.
        "relabel_configs": [{"source_labels": ["program"], "target_label": "instance"}],
    }
    if tls:
        job["tls_config"] = dict(tls)
    if relabel:
        job["metric_relabel_configs"] = [dict(rule) for rule in relabel]
    return job


def of_nodes(places: Places, *, tls: Mapping[str, str]) -> dict[str, Any]:
    """A node's API server serves the pages of many, so its own labels say which is which."""
    files = [str(places.targets / name) for name in (scraped.FILE, scraped.TRIAL_FILE)]
    return {
        "job_name": scraped.JOB,
        "scheme": "https",
        "file_sd_configs": [{"files": files}],
        "tls_config": dict(tls),
        "metric_relabel_configs": [_keep(KEPT_OF_NODES)],
    }


def _drop(names: str) -> dict[str, Any]:
    return {"source_labels": ["__name__"], "regex": names, "action": "drop"}


def _keep(names: str) -> dict[str, Any]:
    return {"source_labels": ["__name__"], "regex": names, "action": "keep"}
