"""The sampler as the driver starts it: a process of its own that ends with its stdin."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from aiohttp import web

from fleet.managers.kubestellar.record import RECORD
from fleet.model.fleet_file import ClientTls, Cluster, Component, FleetFile, Machine
from fleet.model.run_names import RunNames
from fleet.observe import sampling as sampling_module
from fleet.observe.helper_process import LocalPipe, child
from fleet.observe.recorder import Recorder
from fleet.observe.sampling import Sampling
from fleet.observe.tracker import Tracker
from fleet.remote.pipe import RemotePipe
from fleet.results import events
from fleet.testing.api_server.server import FakeApiServer
from tests.unit.model.fleets import kubestellar
from tests.unit.remote.ssh_server import ssh_server

PAGE = 'apiserver_request_total{verb="GET",resource="pods",code="200",group=""} %d\nprocess_open_fds 5\n'

QUEUED = ("transport", "controller-manager", "status-agent")


class Kept:
    def __init__(self) -> None:
        self.lines: list[events.Line] = []

    def append(self, event: events.Line, /) -> None:
        self.lines.append(event)

    def sync(self) -> None:
        raise AssertionError("nothing here is made durable")


def fleet_of(server: FakeApiServer, folder: Path) -> FleetFile:
    kubeconfig = server.write_kubeconfig(folder / "its1.kubeconfig")
    its = Cluster(name="its1", role="its", machine="m", driver="process", server=server.url, kubeconfig=str(kubeconfig))
    return FleetFile(
        name="f",
        created="2026-01-01T00:00:00Z",
        toolchain_digest="x",
        manager=kubestellar(),
        machines=[Machine(name="m", state_dir=str(folder))],
        clusters=[its],
    )


async def test_pages_of_a_resting_kubestellar_are_not_read(tmp_path: Path) -> None:
    log = Kept()
    recorder = Recorder(log, lambda line: None, Tracker(names=RunNames("r-n"), sources=("wds1",)))  # noqa: ARG005
    async with FakeApiServer("its1", tls=True) as server:
        gone = Component(
            program="transport.wds2",
            component="transport",
            machine="m",
            cluster="wds2",
            metrics="http://127.0.0.1:1/metrics",
        )
        fleet = fleet_of(server, tmp_path).model_copy(update={"components": [gone]})
        async with Sampling(fleet, recorder, RECORD) as sampling:
            await sampling.rest(["wds2"])
            await sampling.sample()
            assert await sampling.busy(0.01) == ""
            assert [line for line in log.lines if isinstance(line, events.Anomaly)] == []
            await sampling.rest([])
            await sampling.sample()
    (told,) = [line for line in log.lines if isinstance(line, events.Anomaly)]
    assert told.text.startswith("transport: its metrics cannot be read")


async def test_a_queue_that_nothing_takes_from_is_no_work(tmp_path: Path) -> None:
    """A controller that is switched off still fills its queue; waiting for it would never end."""
    recorder = Recorder(Kept(), lambda line: None, Tracker(names=RunNames("r-n"), sources=("wds1",)))  # noqa: ARG005
    depths = 'workqueue_depth{name="Off"} 40\nworkqueue_depth{name="On"} %d\n'
    manager = RECORD.model_copy(update={"unserved": ("Off",)})
    said = {}
    for waiting in (0, 3):
        async with FakeApiServer("its1", tls=True) as server, page(depths % waiting) as url:
            busy = Component(program="transport.wds1", component="transport", machine="m", cluster="wds1", metrics=url)
            fleet = fleet_of(server, tmp_path).model_copy(update={"components": [busy]})
            async with Sampling(fleet, recorder, manager) as sampling:
                said[waiting] = await sampling.busy(0.01)
    assert said == {0: "", 3: "transport has 3 entries in its queues"}


async def test_only_what_changed_is_told_again(tmp_path: Path) -> None:
    log = Kept()
    recorder = Recorder(log, lambda line: None, Tracker(names=RunNames("r-n"), sources=("wds1",)))  # noqa: ARG005
    async with FakeApiServer("its1", tls=True) as server:
        server.metrics_text = PAGE % 1
        async with Sampling(fleet_of(server, tmp_path), recorder, RECORD) as sampling:
            await sampling.sample()
            server.metrics_text = PAGE % 3
            await sampling.sample()
            assert await sampling.busy(0.01) == ""

    told = [(line.name, line.labels, line.value) for line in log.lines if isinstance(line, events.MetricSample)]
    assert told == [
        ("apiserver_request_total", "code=200,resource=pods,verb=GET", 1.0),
        ("process_open_fds", "", 5.0),
        ("apiserver_request_total", "code=200,resource=pods,verb=GET", 3.0),
    ]


async def test_with_everybody_other_programs_tell_of_their_processes(tmp_path: Path) -> None:
    """Of the agent's page what the process reports about itself, over TLS; a dense process' page is not read."""
    log = Kept()
    recorder = Recorder(log, lambda line: None, Tracker(names=RunNames("r-n"), sources=("wds1",)))  # noqa: ARG005
    async with FakeApiServer("its1", tls=True) as server:
        server.metrics_text = PAGE % 1 + "go_goroutines 7\n"
        assert server.authority is not None
        pair = server.authority.issue("looker")
        for name, content in (("ca", server.authority.certificate), ("crt", pair.certificate), ("key", pair.key)):
            (tmp_path / name).write_bytes(content)
        tls = ClientTls(ca=str(tmp_path / "ca"), cert=str(tmp_path / "crt"), key=str(tmp_path / "key"))
        programs = [
            Component(program=f"{name}.wec001", component=name, machine="m", metrics=f"{server.url}/metrics", tls=tls)
            for name in ("ocm-agent", "dense")
        ]
        fleet = fleet_of(server, tmp_path).model_copy(update={"clusters": [], "components": programs})
        async with Sampling(fleet, recorder, RECORD, everybody=True) as sampling:
            await sampling.sample()

    told = [(line.component, line.cluster, line.name) for line in log.lines if isinstance(line, events.MetricSample)]
    assert told == [("ocm-agent", "wec001", "go_goroutines"), ("ocm-agent", "wec001", "process_open_fds")]


async def test_a_page_that_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    log = Kept()
    recorder = Recorder(log, lambda line: None, Tracker(names=RunNames("r-n"), sources=("wds1",)))  # noqa: ARG005
    server = FakeApiServer("its1", tls=True)
    async with server:
        fleet = fleet_of(server, tmp_path)
    async with Sampling(fleet, recorder, RECORD) as sampling:
        await sampling.sample()
        own = psutil.Process().cpu_times()
        await sampling.sample()

    (line,) = [line for line in log.lines if isinstance(line, events.Anomaly)]
    assert (line.what, line.cluster) == ("metrics", "its1")
    first, second = [line for line in log.lines if isinstance(line, events.HostSample)]
    assert second.busy_seconds >= first.busy_seconds
    # Of this process, which drives, and of the sampler.
    assert second.harness_seconds >= own.user + own.system


async def test_a_wait_that_is_given_up_does_not_mix_up_answers(tmp_path: Path) -> None:
    log = Kept()
    recorder = Recorder(log, lambda line: None, Tracker(names=RunNames("r-n"), sources=("wds1",)))  # noqa: ARG005
    async with FakeApiServer("its1", tls=True) as server:
        server.metrics_text = PAGE % 1
        async with Sampling(fleet_of(server, tmp_path), recorder, RECORD) as sampling:
            task = asyncio.create_task(sampling.sample())
            await asyncio.sleep(0)
            task.cancel()
            assert await sampling.busy(0.01) == ""


async def test_a_sampler_that_dies_is_told_once_and_the_run_goes_on(tmp_path: Path) -> None:
    log = Kept()
    recorder = Recorder(log, lambda line: None, Tracker(names=RunNames("r-n"), sources=("wds1",)))  # noqa: ARG005
    async with (
        FakeApiServer("its1", tls=True) as server,
        Sampling(fleet_of(server, tmp_path), recorder, RECORD) as sampling,
    ):
        pipe = sampling._here._pipe
        assert isinstance(pipe, LocalPipe)
        process = pipe.process
        process.kill()
        await sampling.sample()
        await sampling.sample()
        assert await sampling.busy(0.01) == ""

    assert [type(line) for line in log.lines] == [events.Anomaly]


async def test_a_machine_over_ssh_is_sampled_there_and_stamped_here(tmp_path: Path) -> None:
    log = Kept()
    recorder = Recorder(log, lambda line: None, Tracker(names=RunNames("r-n"), sources=("wds1",)))  # noqa: ARG005
    async with FakeApiServer("its1", tls=True) as server, page("fleet_writes_total 7\n") as url:
        server.metrics_text = PAGE % 1
        fleet = with_machine(fleet_of(server, tmp_path), url)
        async with Sampling(fleet, recorder, RECORD, reach=lambda _, argv: child(argv)) as sampling:
            await sampling.sample()
            assert await sampling.busy(0.01) == ""

    told = {line.component: line for line in log.lines if isinstance(line, events.MetricSample)}
    assert told["status-agent"].value == 7
    assert told["kube-apiserver"].ns != told["status-agent"].ns


async def test_a_machine_is_sampled_over_ssh_and_again_after_it_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a real connection, which is cut, and made again; and one that cannot be made at first."""
    monkeypatch.setattr(sampling_module, "AGAIN_SECONDS", 0.0)
    log = Kept()
    recorder = Recorder(log, lambda line: None, Tracker(names=RunNames("r-n"), sources=("wds1",)))  # noqa: ARG005

    def told(kind: type[events.Line]) -> list[events.Line]:
        found = [line for line in log.lines if isinstance(line, kind)]
        log.lines.clear()
        return found

    async with FakeApiServer("its1", tls=True) as server, page("fleet_writes_total 7\n") as url:
        fleet = with_machine(fleet_of(server, tmp_path), url)
        with ssh_server(tmp_path) as machine:
            there = machine.model_copy(update={"python": sys.executable, "state_dir": "/nowhere"})
            fleet = fleet.model_copy(update={"machines": [fleet.machines[0], there]})
            async with Sampling(fleet, recorder, RECORD) as sampling:
                await sampling.sample()
                assert {line.host for line in told(events.HostSample) if isinstance(line, events.HostSample)}
                pipe = sampling._away["m2"]._pipe
                assert isinstance(pipe, RemotePipe)
                pipe._shell._connection.transport.sock.shutdown(socket.SHUT_RDWR)
                await sampling.sample()
                (lost,) = told(events.Anomaly)
                assert isinstance(lost, events.Anomaly)
                assert lost.text.startswith("machine m2 was lost")
                await sampling.sample()  # it is left alone for AGAIN_SECONDS, and then tried again
                told(events.HostSample)
                await sampling.sample()
                assert len(told(events.HostSample)) == 2
        async with Sampling(fleet, recorder, RECORD) as sampling:  # the server is gone
            await sampling.sample()
            assert len(told(events.Anomaly)) == 1


async def test_a_machine_that_is_lost_is_told_once_and_the_others_are_sampled(tmp_path: Path) -> None:
    log = Kept()
    recorder = Recorder(log, lambda line: None, Tracker(names=RunNames("r-n"), sources=("wds1",)))  # noqa: ARG005
    async with FakeApiServer("its1", tls=True) as server:
        server.metrics_text = PAGE % 1
        fleet = with_machine(fleet_of(server, tmp_path), "http://127.0.0.1:1/metrics")
        async with Sampling(fleet, recorder, RECORD, reach=lambda *_: child(["false"])) as sampling:
            await sampling.sample()
            await sampling.sample()
            assert await sampling.busy(0.01) == ""

    (lost,) = [line for line in log.lines if isinstance(line, events.Anomaly)]
    assert lost.text.startswith("machine m2 was lost")
    assert [line.name for line in log.lines if isinstance(line, events.MetricSample)] == [
        "apiserver_request_total",
        "process_open_fds",
    ]


def with_machine(fleet: FleetFile, url: str) -> FleetFile:
    """That fleet with a machine over SSH, whose Python is this one."""
    other = Machine(name="m2", connection="ssh", address="10.0.0.2", python=sys.executable, state_dir="/nowhere")
    agent = Component(program="status-agent", component="status-agent", machine="m2", metrics=url)
    return fleet.model_copy(update={"machines": [*fleet.machines, other], "components": [agent]})


@asynccontextmanager
async def page(text: str) -> AsyncIterator[str]:
    """A metrics page of a program."""
    app = web.Application()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text)

    app.router.add_get("/metrics", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/metrics"
    finally:
        await runner.cleanup()


async def test_a_sampler_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is stopped, asked three times, and goes on: only the order that it had been given reaches it."""
    monkeypatch.setattr(sampling_module, "HERE_SECONDS", 0.2)
    log = Kept()
    recorder = Recorder(log, lambda line: None, Tracker(names=RunNames("r-n"), sources=("wds1",)))  # noqa: ARG005
    async with (
        asyncio.timeout(60),
        FakeApiServer("its1", tls=True) as server,
        Sampling(fleet_of(server, tmp_path), recorder, RECORD) as sampling,
    ):
        pipe = sampling._here._pipe
        assert isinstance(pipe, LocalPipe)
        process = pipe.process
        process.send_signal(signal.SIGSTOP)
        await sampling.sample()
        await sampling.sample()
        assert await sampling.busy(0.01) == ""
        told = [line.text for line in log.lines if isinstance(line, events.Anomaly)]
        assert len(told) == 3
        assert told[0] == "the sampler did not answer within 0.2 s: what it was to read is left out"
        process.send_signal(signal.SIGCONT)
        monkeypatch.setattr(sampling_module, "HERE_SECONDS", 30.0)
        await sampling.sample()
    assert [line for line in log.lines if isinstance(line, events.HostSample)]
    asked = [seen for seen in server.requests if seen.path == "/metrics"]
    assert len(asked) == 2


async def test_a_program_of_the_experiment_is_weighed_while_it_is_one_and_is_no_disturbance(tmp_path: Path) -> None:
    log = Kept()
    recorder = Recorder(log, lambda line: None, Tracker(names=RunNames("r-n"), sources=("wds1",)))  # noqa: ARG005
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    async with FakeApiServer("its1", tls=True) as server:
        fleet = fleet_of(server, tmp_path)
        async with Sampling(fleet, recorder, RECORD) as sampling:
            await sampling.sample()
            await sampling.add("driver/loader", process.pid)
            await sampling.sample()
            await sampling.change(fleet, RECORD)
            await sampling.sample()
            await sampling.drop("driver/loader")
            await sampling.sample()
    process.terminate()
    await process.wait()
    weighed = [line for line in log.lines if isinstance(line, events.ProcessSample)]
    assert [(line.program, line.component, line.pid, line.machine) for line in weighed] == [
        ("driver/loader", "driver/loader", process.pid, "m")
    ] * 2
    assert all(line.rss > 0 for line in weighed)
    assert [line for line in log.lines if isinstance(line, events.ProgramChanged)] == []
