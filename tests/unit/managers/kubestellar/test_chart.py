"""The hub by KubeStellar's chart: what it would run, what it refuses, and what it waits for. A remembered helm."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.errors import HostError, KubeError, UsageError
from fleet.host.machine import Machine, Options
from fleet.host.program_folder import ProgramFolder
from fleet.install.control_planes import driver_of
from fleet.inventory.inspection import inspect
from fleet.kube.kubeconfig import load
from fleet.kube.resources import CONTROL_PLANES, CRDS, DEPLOYMENTS, SECRETS, Resource
from fleet.managers.kubestellar import chart
from fleet.managers.kubestellar.chart_plan import Chart, ChartSpec, kubestellar_values, relocated, transcript
from fleet.managers.kubestellar.ready import WDS_CRDS
from fleet.model.client_limits import ClientLimits
from fleet.testing.api_server.server import FakeApiServer

GOLDEN = Path(__file__).parents[3] / "golden" / "managers" / "chart.txt"
OPTIONS = Options(node_image="kindest/node:v1@sha256:0", engine="system")
SPEC = ChartSpec(
    Machine("demo", Path("/STATE/demo"), ProgramFolder(Path("/STATE"), check=True), OPTIONS),
    wdses=("wds1", "wds2"),
    limits=ClientLimits(transport_its_qps=1000, transport_its_burst=2000, status_hub_qps=0.5, max_num_wrapped=20),
    kubestellar=Chart("oci://charts.example/core-chart", "0.30.0"),
    ingress=Chart("/charts/ingress.tgz"),
)


def test_what_would_be_written_and_run() -> None:
    text = transcript(SPEC, 16_001)
    if os.environ.get("FLEET_GOLDEN") == "accept":
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_every_value_is_of_its_own_limit() -> None:
    numbers = {limit: 100 + index for index, limit in enumerate(sorted(ClientLimits.model_fields))}
    values = kubestellar_values(replace(SPEC, limits=ClientLimits.model_validate(numbers)), 16_001, "c")
    given = [*values["transport_controller"].values(), *values["status_agent"].values()]
    assert len(set(given)) == len(given) == 10


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (replace(SPEC, limits=ClientLimits(controller_its_qps=50)), "controller_its_qps must be 5"),
        (replace(SPEC, limits=ClientLimits(transport_concurrency=8)), "transport_concurrency must be 4"),
        (
            replace(SPEC, forbidden={"wds_serving": "", "hub_transport_env": {"A": "b"}}),
            "hub_transport_env cannot be set",
        ),
        (replace(SPEC, kubestellar=Chart("--post-renderer=sh")), "hub_chart: '--post-renderer=sh' names no chart"),
        (
            replace(SPEC, machine=replace(SPEC.machine, options=replace(OPTIONS, engine="own"))),
            "container_engine must be",
        ),
        (replace(SPEC, machine=replace(SPEC.machine, options=Options(engine="system"))), "kind_node_image must be"),
    ],
)
def test_refused_by_its_variables(spec: ChartSpec, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refusal:
        spec.check()
    assert "Nothing was changed" in str(refusal.value)
    SPEC.check()


@dataclass
class FakeHelm:
    """Remembers what was asked; `helm show` fails when there is no registry."""

    registry: bool = True
    docker: bool = True
    calls: list[list[str]] = field(default_factory=list)

    def __call__(self, argv: Sequence[str], environment: Mapping[str, str], seconds: float) -> str:
        del seconds
        self.calls.append(list(argv))
        if argv[:2] == ["helm", "show"] and not self.registry:
            raise HostError("helm show chart failed: dial tcp: no such host")
        if argv[0] == "docker" and not self.docker:
            raise HostError("Cannot connect to the Docker daemon")
        assert argv[0] == "docker" or environment["HELM_CACHE_HOME"].startswith(environment["HOME"])
        return json.dumps({"info": {"status": "deployed"}}) if argv[1] == "status" else ""

    def installs(self) -> list[str]:
        return [argv[3] for argv in self.calls if argv[:2] == ["helm", "upgrade"]]


def test_refused_where_helm_docker_or_a_registry_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helm = FakeHelm(registry=False, docker=False)
    spec = replace(SPEC, machine=replace(SPEC.machine, run=helm))
    path = str(tmp_path)
    with pytest.raises(HostError, match="needs helm"):
        chart.check_chart(spec, path=path)
    (tmp_path / "helm").touch(mode=0o755)
    door = tmp_path / "docker.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{door}")
    with pytest.raises(HostError, match="no Docker answers"):
        chart.check_chart(spec, path=path)
    helm.docker = True
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(door))
        with pytest.raises(HostError, match=r"ingress\.tgz cannot be had from here.*Nothing was changed"):
            chart.check_chart(spec, path=path)
        helm.registry = True
        chart.check_chart(spec, path=path)
    assert helm.installs() == []


def established(resource: Resource) -> dict[str, Any]:
    name = f"{resource.plural}.{resource.group}"
    return {"metadata": {"name": name}, "status": {"conditions": [{"type": "Established", "status": "True"}]}}


def ready(name: str, kind: str, namespace: str | None = None) -> dict[str, Any]:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"metadata": metadata, "status": {"conditions": [{"type": kind, "status": "True"}]}}


def furnish(its: FakeApiServer, wds: FakeApiServer, kubeconfig: bytes) -> None:
    """What the chart and its jobs leave behind."""
    for space in ("its1", "wds1"):
        its.store.create(CONTROL_PLANES, ready(space, "Ready"), None)
    for program in chart.PROGRAMS:
        its.store.create(DEPLOYMENTS, ready(program, "Available", "wds1-system"), "wds1-system")
    for resource in (chart.MANAGED_CLUSTERS, chart.MANIFEST_WORKS, chart.WORK_STATUSES):
        its.store.create(CRDS, established(resource), None)
    for resource in WDS_CRDS:
        wds.store.create(CRDS, established(resource), None)
    secret = {"metadata": {"name": "admin-kubeconfig", "namespace": "wds1-system"}}
    its.store.create(SECRETS, secret | {"data": {"kubeconfig": base64.b64encode(kubeconfig).decode()}}, "wds1-system")


async def test_up_the_same_again_other_limits_and_fewer_wdses(tmp_path: Path) -> None:
    helm = FakeHelm()
    machine = Machine("demo", tmp_path / "demo", ProgramFolder(tmp_path, check=True), OPTIONS, run=helm)
    spec = replace(SPEC, machine=machine, wdses=("wds1",))
    layout = machine.layout
    with pytest.raises(UsageError, match="kind cluster its1 is not on this machine"):
        chart.converge_chart(spec)
    async with FakeApiServer("its1", tls=True) as its, FakeApiServer("wds1", tls=True) as wds:
        layout.cluster("its1").mkdir(parents=True, mode=0o700)
        its.write_kubeconfig(layout.kubeconfig("its1"))
        port = int(wds.url.rsplit(":", 1)[1])
        block = {"fleet": "demo", "owner": "its1", "start": port - 1, "count": 2}
        (tmp_path / "ports.json").write_text(json.dumps({"format": 1, "blocks": [block]}))
        # As KubeFlex writes it: a name that leads to this machine. Here the certificate's own other name.
        text = wds.write_kubeconfig(tmp_path / "k").read_bytes().replace(b"127.0.0.1", b"localhost")
        furnish(its, wds, text)

        async def converge(wanted: ChartSpec) -> Any:
            return await asyncio.to_thread(chart.converge_chart, wanted)

        first = await converge(spec)
        assert {"release ks-core", "release ingress-nginx", "control plane wds1", "kubeconfig wds1"} <= set(first.after)
        assert helm.installs() == ["ingress-nginx", "ks-core"]
        endpoint = load(layout.kubeconfig("wds1"), cluster="wds1")
        assert (endpoint.server, endpoint.server_name) == (f"https://127.0.0.1:{port}", "localhost")
        assert layout.kubeconfig("wds1").stat().st_mode & 0o777 == 0o600
        found = inspect(layout, "m1", {}, secrets=False).clusters
        assert [(c.name, c.role, c.driver, c.server) for c in found] == [("wds1", "wds", "chart", endpoint.server)]
        with pytest.raises(UsageError, match="inside the hub's kind cluster"):
            driver_of(machine, "wds1")

        assert not (await converge(spec)).changed
        other = replace(spec, limits=ClientLimits(transport_its_qps=50))
        asked = await converge(replace(other, machine=replace(machine, check=True)))
        assert (set(asked.after), len(helm.installs())) == ({"release ks-core"}, 2)
        assert set((await converge(other)).after) == {"release ks-core"}
        assert helm.installs() == ["ingress-nginx", "ks-core", "ks-core"]

        fewer = await converge(replace(other, wdses=()))
        assert fewer.before == {"control plane wds1": "chart"}
        assert not layout.cluster("wds1").exists()


def test_a_kubeconfig_is_relocated_and_nothing_else_of_it_is_kept() -> None:
    document = {
        "current-context": "wds1",
        "contexts": [
            {"name": "other", "context": {"cluster": "other", "user": "other"}},
            {"name": "wds1", "context": {"cluster": "c", "user": "u"}},
        ],
        "clusters": [
            {"name": "c", "cluster": {"server": "https://wds1.localtest.me:9443", "certificate-authority-data": "QQ=="}}
        ],
        "users": [{"name": "u", "user": {"client-key-data": "Qg=="}}, {"name": "other", "user": {"token": "secret"}}],
    }
    found = yaml.safe_load(relocated(yaml.safe_dump(document).encode(), "https://127.0.0.1:16001", "fleet-demo-wds1"))
    assert found["clusters"] == [
        {
            "name": "fleet-demo-wds1",
            "cluster": {
                "server": "https://127.0.0.1:16001",
                "tls-server-name": "wds1.localtest.me",
                "certificate-authority-data": "QQ==",
            },
        }
    ]
    assert found["users"] == [{"name": "fleet-demo-wds1", "user": {"client-key-data": "Qg=="}}]
    with pytest.raises(KubeError, match="no kubeconfig"):
        relocated(b"{}", "https://127.0.0.1:1", "x")
