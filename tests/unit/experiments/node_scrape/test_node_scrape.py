"""The experiment node-scrape: its trials, what it refuses, the paths that it reads, and its table worked by hand."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from fleet.analysis.join import Join
from fleet.analysis.recorded import Recorded
from fleet.errors import KubeError, SpecError, UsageError
from fleet.experiments.node_scrape import analysis, figures
from fleet.experiments.node_scrape import prometheus as prometheus_api
from fleet.experiments.node_scrape.experiment import EXPERIMENT
from fleet.experiments.node_scrape.pages import Reader, RunningPod
from fleet.experiments.node_scrape.prometheus import opened, targets
from fleet.experiments.node_scrape.spec import By, NodeScrape
from fleet.inventory.monitoring import FEATURE
from fleet.inventory.prometheus import Places, of_nodes
from fleet.kube.client import KubeClient
from fleet.kube.endpoint import Endpoint
from fleet.kube.transport import CHANNELS
from fleet.managers import registry
from fleet.model.experiment_file import Profiles
from fleet.model.fleet_file import Cluster, Component, FleetFile, Machine, ManagerOf
from fleet.model.manager_record import ManagerRecord
from fleet.results.events import Measured, Requested, TrialPlan
from fleet.results.folder import RunFolder
from fleet.simulators.scraped import Kubelet, target, targets_folder

REFERENCE = Path(__file__).parents[4] / "results" / "wec-scaling" / "reference"
MS = 1_000_000
BOTH: list[By] = ["driver", "prometheus"]
PROMETHEUS = Path("/usr/bin/prometheus")


def fleet(root: Path, simulator: str = "hollow") -> FleetFile:
    return FleetFile(
        name="demo", created="2026-01-01T00:00:00Z", toolchain_digest="none", manager=ManagerOf(name="none"),
        node_simulator=simulator, wec_nodes=4, machines=[Machine(name="localhost", state_dir=str(root))],
        clusters=[
            Cluster(name="wec001", role="wec", machine="localhost", driver="process", server="https://127.0.0.1:1",
                    kubeconfig=str(root / "k"))
        ],
    )  # fmt: skip


def test_a_trial_for_each_page_way_and_number_of_scrapers_and_one_without(tmp_path: Path) -> None:
    spec = NodeScrape(experiment="node-scrape", pages=["metrics", "exec"], scrapers=[1, 4])
    found = fleet(tmp_path)
    trials = EXPERIMENT.plan(spec, found, registry.of(found))
    assert [trial.scrapers for trial in trials] == [0, 1, 4, 1, 4, 1, 4, 1, 4]
    assert trials[1].point == "page=metrics way=proxy scrapers=1"
    assert (trials[-1].page, trials[-1].way) == ("exec", "direct")


def test_nodes_without_a_kubelet_and_profiles_are_refused(tmp_path: Path) -> None:
    spec = NodeScrape(experiment="node-scrape")
    for simulator in ("kwok", "none"):
        found = fleet(tmp_path, simulator)
        with pytest.raises(UsageError, match="no node of this fleet has one"):
            EXPERIMENT.plan(spec, found, registry.of(found))
    found = fleet(tmp_path)
    with pytest.raises(SpecError, match=r"profiles\.enabled"):
        EXPERIMENT.plan(spec.model_copy(update={"profiles": Profiles(enabled=True)}), found, registry.of(found))
    with pytest.raises(ValueError, match="each value once"):
        NodeScrape(experiment="node-scrape", scrapers=[1, 1])


def test_prometheus_is_a_scraper_of_the_pages_that_it_can_read(tmp_path: Path) -> None:
    spec = NodeScrape(experiment="node-scrape", pages=["resource", "logs"], ways=["direct"], scrapers=[2], by=BOTH)
    found = fleet(tmp_path)
    with pytest.raises(UsageError, match="monitoring_enabled=true"):
        EXPERIMENT.plan(spec, found, registry.of(found))
    found.components.append(
        Component(program="prometheus", component="prometheus", machine="localhost",
                  argv=["/usr/bin/prometheus", "--web.listen-address=127.0.0.1:9"])
    )  # fmt: skip
    trials = EXPERIMENT.plan(spec, found, registry.of(found))
    assert [trial.point for trial in trials] == [
        "scrapers=0", "page=resource way=direct scrapers=2", "page=logs way=direct scrapers=2",
        "by=prometheus page=resource way=direct scrapers=2",
    ]  # fmt: skip
    busy = found.model_copy(update={"variables": {"monitoring_nodes": "proxy"}})
    with pytest.raises(UsageError, match="monitoring_nodes=none"):
        EXPERIMENT.plan(spec, busy, registry.of(busy))
    with pytest.raises(ValueError, match="prometheus reads the pages metrics and resource"):
        NodeScrape(experiment="node-scrape", pages=["exec"], by=["prometheus"])


@pytest.fixture
async def server() -> AsyncIterator[tuple[str, list[str]]]:
    """URL of a server that answers pages with their path and commands with their words, and what it was asked."""
    asked: list[str] = []

    async def page(request: web.Request) -> web.StreamResponse:
        asked.append(request.path_qs)
        if "exec" not in request.path:
            return web.Response(text=request.path)
        socket = web.WebSocketResponse(protocols=(CHANNELS,))
        await socket.prepare(request)
        good = "fails" not in request.path
        await socket.send_bytes(b"\x01" + " ".join(request.query.getall("command")).encode())
        await socket.send_bytes(b'\x03{"status":"Success"}' if good else b'\x03{"status":"Failure","message":"exit 1"}')
        await socket.close()
        return socket

    app = web.Application()
    app.router.add_get("/{path:.*}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


async def test_pages_are_read_through_the_api_server(server: tuple[str, list[str]]) -> None:
    url, asked = server
    pod = RunningPod("ns", "p", "n")
    async with KubeClient(Endpoint("wec001", url)) as client, Reader(client, {}) as reader:
        assert await reader.of_node("summary", "proxy", "n") == len("/api/v1/nodes/n/proxy/stats/summary")
        assert await reader.of_pod("logs", "proxy", pod) > 0
        assert await reader.of_pod("exec", "proxy", pod) == len("echo scraped")
    assert asked == [
        "/api/v1/nodes/n/proxy/stats/summary", "/api/v1/namespaces/ns/pods/p/log",
        "/api/v1/namespaces/ns/pods/p/exec?command=echo&command=scraped&stdout=1",
    ]  # fmt: skip


async def test_a_command_that_fails_raises_with_its_message(server: tuple[str, list[str]]) -> None:
    url, asked = server
    async with KubeClient(Endpoint("wec001", url)) as client:
        with pytest.raises(KubeError, match="exit 1"):
            await client.exec("/exec/ns/fails/main", ["true"], direct=True)
    assert asked == ["/exec/ns/fails/main?command=true&output=1"]


def trial(recorded: Recorded, number: int, point: str, scrapes: int, server: float, load_ms: int) -> None:
    """Ten seconds with a load of five, and scrapes of 2 KiB, one of which fails."""
    name = f"t{number:03d}"
    recorded.add(
        TrialPlan(ns=number, wall=0, trial=name, layout="", wecs=1, repeat=0, clusters=["wec001"], kind="", point=point)
    )
    values = {figures.SECONDS: 10.0, figures.BYTES: 2048.0 * max(0, scrapes - 1), figures.SERVER_CPU: server,
              figures.NODE_CPU: server / 2}  # fmt: skip
    for what, value in values.items():
        recorded.add(Measured(ns=1, wall=1, trial=name, name=what, value=value, unit="", of={}))
    for index in range(5 + scrapes):
        load, bad = index < 5, index == 5
        recorded.add(
            Requested(
                ns=(1000 + load_ms if load else 1020) * MS, wall=0, trial=name, op="create" if load else figures.SCRAPE,
                cluster="wec001", due_ns=1000 * MS, sent_ns=1000 * MS, code=503 if bad else 200,
                error="Unavailable" if bad else "", resource="configmaps" if load else "metrics",
                name=f"{name}-{index}",
            )
        )  # fmt: skip


def test_a_scrape_costs_what_the_load_alone_does_not() -> None:
    run = RunFolder.open(REFERENCE).read_run()
    recorded = Recorded(Join(ManagerRecord(name="none"), source="", object_timeout=None))
    trial(recorded, 0, figures.ALONE, 0, 0.1, 10)
    trial(recorded, 1, "page=metrics way=proxy scrapers=1", 20, 0.3, 30)
    found = analysis.findings(run, recorded, Path())
    (table,) = found.tables
    alone, busy = ({column.name: cell for column, cell in zip(table.columns, row, strict=True)} for row in table.rows)
    assert alone["scrapes"] == 0
    assert alone["API server"] is None
    assert (busy["scrapes"], busy["failed"]) == (19, 1)
    assert busy["rate"] == pytest.approx(1.9)
    assert busy["bytes"] == pytest.approx(2)
    assert busy["answer p50"] == pytest.approx(20)
    assert busy["API server"] == pytest.approx(100)  # 0.2 cores more, ten seconds, twenty scrapes
    assert busy["node"] == pytest.approx(50)
    assert busy["load p50 alongside / alone"] == pytest.approx(3)
    assert "1 scrapes of metrics failed: 503 Unavailable" in found.reasons
    assert found.said[0].startswith("at the API server a scrape takes at most 100.0 ms of CPU (page=metrics way=proxy")
    assert sum(sample.stage == figures.SCRAPE for sample in found.samples) == 19


@pytest.mark.skipif(not PROMETHEUS.exists(), reason="Debian's package prometheus is not installed")
async def test_a_real_prometheus_scrapes_what_a_trial_lists_and_stops(tmp_path: Path) -> None:
    """Its job `nodes` as the role writes it, but for TLS; two scrapers of two nodes, one of which fails."""
    visits: list[str] = []

    async def page(request: web.Request) -> web.Response:
        visits.append(request.path)
        if "/bad/" in request.path:
            raise web.HTTPServiceUnavailable
        return web.Response(text="node_cpu_usage_seconds_total 1\n")

    app = web.Application()
    app.router.add_get("/{path:.*}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    kubelets = [Kubelet(name, "192.0.2.1", 1) for name in ("good", "bad")]
    nodes = [
        target("wec001", f"https://127.0.0.1:{runner.addresses[0][1]}", one, "resource", "proxy") for one in kubelets
    ]
    job = yaml.safe_load(yaml.safe_dump(of_nodes(places(tmp_path), tls={}))) | {"scheme": "http"}
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump({"scrape_configs": [job]}))
    targets_folder(tmp_path).mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    argv = [str(PROMETHEUS), f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address={address}", FEATURE]  # fmt: skip
    process = await asyncio.create_subprocess_exec(*argv, stderr=asyncio.subprocess.DEVNULL)
    try:
        async with opened(f"http://{address}", tmp_path) as prometheus:
            async with prometheus.scraping("t001", targets("t001", nodes, 2, 1.0), 1.0):
                begin = time.time()
                await asyncio.sleep(3)
                found = await prometheus.scrapes("t001", begin, time.time())
            after = len(visits)
            assert {one.node: one.answered for one in found} == {"good": True, "bad": False}
            assert {one.bytes for one in found if one.answered} == {len("node_cpu_usage_seconds_total 1\n")}
            assert all(begin <= one.begin and one.seconds > 0 for one in found)
            assert len(found) >= 8  # 4 targets, once a second, in 3 s
            assert await prometheus.scrapes("t002", begin, time.time()) == []
            await asyncio.sleep(1.5)
            assert len(visits) == after
    finally:
        process.terminate()
        await process.wait()
        await runner.cleanup()


def places(root: Path) -> Places:
    return Places(root, targets_folder(root), *(root for _ in range(6)))


async def test_a_prometheus_that_has_just_started_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([503, 503])

    async def page(_request: web.Request) -> web.Response:
        return web.json_response({"data": {"activeTargets": []}}, status=next(answers, 200))

    app = web.Application()
    app.router.add_get("/api/v1/targets", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with opened(base, tmp_path):
            assert next(answers, None) is None
        answers = iter([503] * 99)
        monkeypatch.setattr(prometheus_api, "START_SECONDS", 0.0)
        with pytest.raises(UsageError, match="does not answer /api/v1/targets: 503"):
            async with opened(base, tmp_path):
                pass
    finally:
        await runner.cleanup()
