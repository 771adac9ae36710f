"""Three hollow nodes: logs, exec, metrics, a Job with exit code 3, a partition, a death; then kwok in their place."""

from __future__ import annotations

import json
import os
import signal
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client as kubernetes
from kubernetes import config
from kubernetes.stream import stream

from fleet.host.https import Answer
from fleet.host.layout import Layout
from fleet.model import fleet_load
from fleet.simulators.hollow.admin import HollowAdmin
from fleet.simulators.hollow.program import socket_of
from fleet.simulators.kwok.stages import EXIT_CODE, LIFETIME
from fleet.simulators.scraped import first_address
from tests.live.conftest import common_state, shared_lab
from tests.live.lab import Lab, changed
from tests.live.waiting import SECONDS, until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("hollow")]

PROGRAM = "hollow-0.wec001"
PODS = "/api/v1/namespaces/default/pods"
JOBS = "/apis/batch/v1/namespaces/default/jobs"
NODES = "/api/v1/nodes"
CONTAINERS = [{"name": "main", "image": "none"}]
JOB = {
    "metadata": {"name": "three"},
    "spec": {
        "backoffLimit": 0,
        "template": {
            "metadata": {"annotations": {LIFETIME: "2s", EXIT_CODE: "3"}},
            "spec": {"restartPolicy": "Never", "containers": CONTAINERS},
        },
    },
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One dense WEC without a manager; the first test builds it."""
    variables = {"wec_count": 1, "manager": "none", "node_simulator": "hollow", "wec_nodes": 3}
    with shared_lab("t-hollow", variables) as made:
        yield made


class Wec:
    """The WEC as its admin sees it."""

    def __init__(self, lab: Lab) -> None:
        self._kubeconfig = Layout(lab.folder).kubeconfig("wec001")
        self._endpoint = lab.endpoint("wec001")

    def ask(self, path: str, method: str = "GET", body: Mapping[str, Any] | None = None) -> Answer:
        """One request, whatever it answers."""
        return self._endpoint.request(method, path, body)

    def create(self, path: str, body: Mapping[str, Any]) -> None:
        """Make an object."""
        answer = self.ask(path, "POST", body)
        assert answer.status == 201, answer.text()

    def nodes(self) -> dict[str, bool]:
        """All nodes by name, each with whether it is ready."""
        found = {}
        for node in self.ask(NODES).json()["items"]:
            conditions = {each["type"]: each["status"] for each in node["status"].get("conditions", [])}
            found[node["metadata"]["name"]] = conditions.get("Ready") == "True"
        return found

    def log(self) -> str:
        """What the Pod's container wrote; empty while the kubelet cannot be reached."""
        answer = self.ask(f"{PODS}/web/log")
        return answer.body.decode() if answer.status == 200 else ""

    def node(self) -> str:
        """The Pod's node."""
        return str(self.ask(f"{PODS}/web").json()["spec"]["nodeName"])

    def exit_codes(self) -> list[int]:
        """Of the Job's containers that have ended."""
        pods = self.ask(f"{PODS}?labelSelector=batch.kubernetes.io/job-name%3Dthree").json()["items"]
        states = [each["state"] for pod in pods for each in pod["status"].get("containerStatuses", [])]
        return [state["terminated"]["exitCode"] for state in states if "terminated" in state]

    def job_failed(self) -> bool:
        """Whether its controller says so."""
        conditions = self.ask(f"{JOBS}/three").json().get("status", {}).get("conditions", [])
        return any(each["type"] == "Failed" and each["status"] == "True" for each in conditions)

    def run(self, *command: str) -> str:
        """What a command in the Pod's container answers."""
        load: Any = config.new_client_from_config  # untyped
        with load(str(self._kubeconfig)) as client:
            said: Any = stream(
                kubernetes.CoreV1Api(client).connect_get_namespaced_pod_exec, "web", "default", command=list(command),
                stdout=True, stderr=False, stdin=False, tty=False, _preload_content=False,
            )  # fmt: skip
            try:
                said.run_forever(timeout=SECONDS)
                return str(said.read_all())
            finally:
                said.sock.shutdown()  # `close` leaves open a socket that the server has closed


@pytest.fixture
def wec(lab: Lab) -> Wec:
    return Wec(lab)


def admin(lab: Lab) -> HollowAdmin:
    return HollowAdmin(socket_of(Layout(lab.folder), PROGRAM))


def test_bad_input_is_refused_before_anything_changes(lab: Lab) -> None:
    refused = lab.playbook("site.yml", hollow_address="127.0.0.1")
    assert refused.code != 0
    assert "hollow_address" in refused.out
    many = lab.playbook("site.yml", wec_nodes=999, wec_count=999)
    assert many.code != 0
    assert "ports for" in many.out
    assert not (lab.folder / "clusters").exists()


def test_three_nodes_are_built_and_a_second_run_changes_nothing(lab: Lab) -> None:
    assert changed(lab.playbook("site.yml").check()) > 0
    assert Wec(lab).nodes() == {"hollow-001": True, "hollow-002": True, "hollow-003": True}
    assert changed(lab.playbook("site.yml").check()) == 0
    assert changed(lab.playbook("site.yml", "--check", "--diff").check()) == 0


def test_logs_exec_metrics_and_stats_come_through_the_api_server(wec: Wec) -> None:
    wec.create(PODS, {"metadata": {"name": "web"}, "spec": {"containers": CONTAINERS}})
    until("the Pod runs", lambda: wec.ask(f"{PODS}/web").json()["status"].get("phase") == "Running")
    assert wec.ask(f"{PODS}/web").json()["status"]["podIP"].startswith("10.128.")
    assert "container main of pod default/web runs on a hollow node" in wec.log()
    assert "heard: ls -l" in wec.run("ls", "-l")
    proxy = f"{NODES}/{wec.node()}/proxy"
    until("metrics have the container", lambda: b'pod="web"' in wec.ask(f"{proxy}/metrics/resource").body)
    assert b"kubelet_running_pods" in wec.ask(f"{proxy}/metrics").body
    assert wec.ask(f"{proxy}/stats/summary").json()["node"]["nodeName"] == wec.node()
    if os.access("/dev/kmsg", os.R_OK):
        events = wec.ask("/api/v1/namespaces/default/events").json()["items"]
        told = {event["reason"] for event in events if event["source"].get("component") == "kubelet"}
        assert {"Created", "Started"} <= told


def test_a_kubelet_lets_in_only_whom_its_api_server_knows(lab: Lab, wec: Wec) -> None:
    node = admin(lab).nodes()[0]
    context = ssl.create_default_context(cafile=str(lab.folder / "pki" / "ca.crt"))
    url = f"https://{node.address}:{node.port}/metrics"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url, context=context, timeout=30)
    assert refused.value.code == 401
    refused.value.close()
    assert wec.ask(f"{NODES}/{node.name}/proxy/metrics").status == 200


def test_pods_are_read_through_the_api_server_and_directly(lab: Lab, tmp_path: Path) -> None:
    words = ["--quick", "--set", "pages=[logs, exec]", "--fleet", lab.name, "--results", str(tmp_path)]
    ran = lab.fleet("experiment", "run", "node-scrape", *words)
    assert ran.code in (0, 4), ran.err
    assert "failed" not in ran.out, ran.out
    (file,) = tmp_path.rglob("summary.json")
    points = {row["point"] for row in json.loads(file.read_text(encoding="utf-8"))["rows"] if row["stage"] == "scrape"}
    assert points == {f"page={page} way={way} scrapers=2" for page in ("logs", "exec") for way in ("proxy", "direct")}


def test_a_job_fails_with_the_code_that_its_pod_asks_for(wec: Wec) -> None:
    wec.create(JOBS, JOB)
    until("the Job has failed", wec.job_failed)
    assert wec.exit_codes() == [3]


def test_a_node_is_partitioned_and_healed(lab: Lab, wec: Wec) -> None:
    node = wec.node()
    assert admin(lab).partition(node).partitioned
    assert wec.log() == ""
    until("it alone is not ready", lambda: [name for name, ready in wec.nodes().items() if not ready] == [node])
    assert not admin(lab).heal(node).partitioned
    until("it is ready again", lambda: wec.nodes()[node])
    until("its log is read again", wec.log)


def test_a_process_that_dies_comes_back_with_its_nodes(lab: Lab, wec: Wec) -> None:
    found = json.loads(lab.fleet("status", "--fleet", lab.name, "-o", "json").check().out)
    pid = next(program["pid"] for program in found["programs"] if program["name"] == PROGRAM)
    os.kill(pid, signal.SIGKILL)
    until("its log is read again", wec.log)
    assert [node.name for node in admin(lab).nodes()] == ["hollow-001", "hollow-002", "hollow-003"]


def test_the_fleet_file_says_how_to_look_inside_and_what_the_nodes_ask_for(lab: Lab) -> None:
    fleet = json.loads((lab.folder / "fleet.json").read_text(encoding="utf-8"))
    (component,) = [each for each in fleet["components"] if each["program"] == PROGRAM]
    assert (component["component"], component["cluster"], component["version"]) == ("hollow", "wec001", "v1.34.4")
    assert component["metrics"].endswith("/metrics")
    assert component["pprof"].startswith("unix:")
    assert "kubelet" in fleet["node_load"]


def test_prometheus_scrapes_the_nodes_all_the_time_or_in_an_experiment(lab: Lab, tmp_path: Path) -> None:
    lab.playbook("site.yml", monitoring_enabled=True, monitoring_interval="5s", monitoring_nodes="proxy").check()
    fleet = fleet_load.load(lab.folder / "fleet.json")
    base = first_address(fleet.components, "localhost")
    query = urllib.parse.quote('up{job="nodes"}')

    def scraped() -> dict[tuple[str, str], str]:
        with urllib.request.urlopen(f"{base}/api/v1/query?query={query}", timeout=30) as answer:  # noqa: S310
            found = json.load(answer)["data"]["result"]
        return {(one["metric"]["node"], one["metric"]["page"]): one["value"][1] for one in found}

    every = {(f"hollow-{number:03d}", page): "1" for number in (1, 2, 3) for page in ("metrics", "resource")}
    until("each page of each node has been scraped", lambda: scraped() == every)
    lab.playbook("site.yml", monitoring_enabled=True).check()
    ran = lab.fleet(
        "experiment", "run", "node-scrape", "--fleet", lab.name, "--quick", "--results", str(tmp_path),
        "--set", "by=[prometheus]", "--set", "pages=[resource]",
    ).check()  # fmt: skip
    page = Path(ran.out.strip().splitlines()[-1])
    tables = json.loads((page.parent / "summary.json").read_text(encoding="utf-8"))["tables"]
    (table,) = [one for one in tables if one["name"] == "scrapes"]
    names = [column["name"] for column in table["columns"]]
    rows = {row[0]: dict(zip(names, row, strict=True)) for row in table["rows"]}
    for way in ("proxy", "direct"):
        row = rows[f"by=prometheus page=resource way={way} scrapers=2"]
        assert row["scrapes"] > 0
        assert row["failed"] == 0
        assert row["bytes"] > 0
    lab.playbook("site.yml").check()


def test_kwok_takes_over_and_its_jobs_fail_with_the_same_code(lab: Lab, wec: Wec) -> None:
    wec.ask(f"{PODS}/web", "DELETE")
    wec.ask(f"{JOBS}/three?propagationPolicy=Background", "DELETE")
    until("its Pods are gone", lambda: not wec.ask(PODS).json()["items"])
    lab.playbook("site.yml", node_simulator="kwok").check()
    again = Wec(lab)
    assert again.nodes() == {"kwok-001": True, "kwok-002": True, "kwok-003": True}
    again.create(JOBS, JOB)
    until("the Job has failed", again.job_failed)
    assert again.exit_codes() == [3]


def test_nothing_is_left(lab: Lab) -> None:
    lab.playbook("playbooks/teardown.yml").check()
    assert not lab.folder.exists()
    assert not lab.processes()
    registry = Path(common_state()) / "ports.json"
    assert not registry.exists() or lab.name not in registry.read_text(encoding="utf-8")
