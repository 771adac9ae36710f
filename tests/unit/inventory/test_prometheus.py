"""Prometheus' configuration: every program with metrics is a target once, and TLS ones are asked with certificates."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from fleet.inventory.prometheus import (
    DROPPED,
    JOBS,
    KEPT_OF_AGENTS,
    Places,
    config,
    own_authorities,
    own_targets,
    targets,
)
from fleet.model.fleet_file import ClientTls, Component
from fleet.simulators.scraped import kubelet_of, target

ROLE = Path(__file__).parents[3] / "roles" / "monitoring" / "files"
PLACES = Places(*(Path(f"/m/{name}") for name in ("rules", "targets", "ca", "eca", "crt", "key", "ecrt", "ekey")))
TLS = ClientTls(ca="/ca", cert="/c", key="/k")


def program(name: str, metrics: str, tls: ClientTls | None = None) -> Component:
    component, _, cluster = name.partition(".")
    return Component(program=name, component=component, machine="m", cluster=cluster, metrics=metrics, tls=tls)


def test_targets_by_job_with_what_they_are() -> None:
    found = targets(
        [
            program("kube-apiserver.its1", "https://127.0.0.1:1/metrics", TLS),
            program("kube-apiserver.wec001", "https://127.0.0.1:2/metrics", TLS),
            Component(
                program="dense.0", component="dense", machine="m", metrics="https://127.0.0.1:3/metrics", tls=TLS
            ),
            program("etcd.its1", "https://127.0.0.1:4/metrics", TLS),
            program("ocm-agent.wec001", "https://127.0.0.1:5/metrics", TLS),
            program("kwok.wec001", "http://127.0.0.1:6/metrics"),
            program("transport.wds1", "http://127.0.0.1:7/metrics"),
            program("agent-of-anybody.wec001", "http://127.0.0.1:8/metrics"),
            program("status-agent", "http://127.0.0.1:9/metrics"),
            program("kube-scheduler.wec001", "https://127.0.0.1:10/metrics", TLS),
            program("kwok.wec002", ""),
        ],
        {"its1": "its", "wds1": "wds", "wec001": "wec"},
    )
    assert {job: [entry["targets"][0] for entry in entries] for job, entries in found.items()} == {
        "hub": ["127.0.0.1:1"],
        "wecs": ["127.0.0.1:3", "127.0.0.1:2", "127.0.0.1:10"],
        "agents": ["127.0.0.1:8", "127.0.0.1:6", "127.0.0.1:5"],
        "etcd": ["127.0.0.1:4"],
        "plain": ["127.0.0.1:9", "127.0.0.1:7"],
    }
    assert found["agents"][1]["labels"] == {
        "program": "kwok.wec001", "component": "kwok", "cluster": "wec001", "machine": "m", "role": "wec",
        "__scheme__": "http",
    }  # fmt: skip
    assert found["wecs"][0]["labels"]["role"] == "wec"


def test_the_configuration_has_a_job_for_each_file_and_certificates_for_tls() -> None:
    made = config(PLACES, fleet="demo", interval="5s")
    jobs = {job["job_name"]: job for job in made["scrape_configs"]}
    assert tuple(jobs) == (*JOBS, "nodes")
    assert jobs["nodes"]["file_sd_configs"] == [{"files": ["/m/targets/nodes.json", "/m/targets/nodes-trial.json"]}]
    assert jobs["etcd"]["tls_config"] == {"ca_file": "/m/eca", "cert_file": "/m/ecrt", "key_file": "/m/ekey"}
    assert jobs["hub"]["tls_config"] == {"ca_file": "/m/ca", "cert_file": "/m/crt", "key_file": "/m/key"}
    assert "tls_config" not in jobs["plain"]
    assert jobs["agents"]["file_sd_configs"] == [{"files": ["/m/targets/agents.json"]}]
    assert made["global"]["scrape_timeout"] == "5s"


def test_nothing_that_a_panel_or_a_rule_reads_is_dropped() -> None:
    rules = yaml.safe_load((ROLE / "rules" / "fleet.yml").read_text(encoding="utf-8"))
    panels = json.loads((ROLE / "dashboards" / "fleet.json").read_text(encoding="utf-8"))["panels"]
    queries = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    queries += [target["expr"] for panel in panels for target in panel.get("targets", ())]
    read = {word for query in queries for word in re.findall(r"[a-z_A-Z]+_[a-z_A-Z0-9]+", query)}
    assert "apiserver_request_duration_seconds_bucket" in read
    assert not [name for name in read if re.fullmatch(DROPPED, name)]
    assert re.fullmatch(KEPT_OF_AGENTS, "rest_client_requests_total")
    recorded = {rule["record"] for group in rules["groups"] for rule in group["rules"]}
    used = {word for query in queries for word in re.findall(r"fleet:[a-z_0-9:]+", query)}
    assert used <= recorded


def test_a_node_is_scraped_through_its_api_server_or_at_its_kubelet() -> None:
    addresses = [{"type": "Hostname", "address": "n"}, {"type": "InternalIP", "address": "192.0.2.1"}]
    status = {"addresses": addresses, "daemonEndpoints": {"kubeletEndpoint": {"Port": 12345}}}
    node = kubelet_of({"metadata": {"name": "n"}, "status": status})
    direct = target("wec001", "https://127.0.0.1:6443", node, "resource", "direct")
    proxied = target("wec001", "https://127.0.0.1:6443", node, "resource", "proxy")
    assert direct["targets"] == ["192.0.2.1:12345"]
    assert direct["labels"]["__metrics_path__"] == "/metrics/resource"
    assert proxied["targets"] == ["127.0.0.1:6443"]
    assert proxied["labels"]["__metrics_path__"] == "/api/v1/nodes/n/proxy/metrics/resource"
    assert {one["labels"]["instance"] for one in (direct, proxied)} == {"n"}


def test_own_programs_are_targets_too() -> None:
    (entry,) = own_targets({"prometheus": "127.0.0.1:9"})
    assert entry["targets"] == ["127.0.0.1:9"]
    assert entry["labels"]["__scheme__"] == "http"


def test_a_program_with_an_authority_of_its_own_has_a_job_of_its_own() -> None:
    tls = ClientTls(ca="/ca", cert="/c", key="/k", server_name="api.here.svc")
    program = Component(program="api.wec001", component="api", machine="m", cluster="wec001", tls=tls,
                        metrics="https://127.0.0.1:5/metrics")  # fmt: skip
    assert not any(targets([program], {"wec001": "wec"}).values())
    (job,) = own_authorities([program])
    assert job["tls_config"] == {"ca_file": "/ca", "server_name": "api.here.svc"}
    (found,) = job["static_configs"]
    assert found["targets"] == ["127.0.0.1:5"]
    assert (found["labels"]["pod"], found["labels"]["container"]) == ("api.wec001", "api")
    assert own_authorities([program.model_copy(update={"tls": None})]) == []
