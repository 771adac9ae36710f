"""The program as it is started on a machine: kubeconfigs over TLS, SIGHUP, SIGTERM, metrics, exit codes."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fleet.errors import HostError
from fleet.kube.resources import PODS
from fleet.managers.kubestellar.status_agent.__main__ import main
from tests.unit.managers.kubestellar.status_agent.scene import SECONDS, Scene, make_scene

REPOSITORY = Path(__file__).parents[4]


def write_config(scene: Scene, wecs: Sequence[str], **changes: Any) -> Path:
    """The agent's file alongside the kubeconfigs of the scene."""
    document = {
        "hub_kubeconfig": "hub.kubeconfig",
        "wecs": [{"name": name, "kubeconfig": f"{name}.kubeconfig"} for name in wecs],
        "hub_qps": 0,
        "local_qps": 0,
        "metrics_address": "127.0.0.1:0",
        "log": "writes.jsonl",
    }
    path = scene.folder / "agent.json"
    path.touch(0o600)
    path.write_text(json.dumps(document | changes))
    return path


def write_kubeconfigs(scene: Scene) -> None:
    scene.hub.server.write_kubeconfig(scene.folder / "hub.kubeconfig")
    for name, wec in scene.wecs.items():
        wec.server.write_kubeconfig(scene.folder / f"{name}.kubeconfig")


class Program:
    """The running program and the lines of its log."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def says(self, text: str) -> str:
        """The next line of the log that holds the text."""
        assert self.process.stderr is not None
        async with asyncio.timeout(SECONDS):
            while line := (await self.process.stderr.readline()).decode():
                if text in line:
                    return line
        raise AssertionError(f"the program ended without saying {text!r}")


@asynccontextmanager
async def program(config: Path) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "fleet.managers.kubestellar.status_agent",
        "--config",
        str(config),
        cwd=REPOSITORY,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_it_serves_takes_in_a_wec_on_sighup_and_stops_on_sigterm(tmp_path: Path) -> None:
    async with make_scene(tmp_path, "wec001", "wec002", tls=True) as scene:
        write_kubeconfigs(scene)
        for wec in scene.wecs.values():
            amw = wec.work("mw")
            wec.list_applied(amw, wec.put(PODS, "p", {"n": 1}, amw))
        async with program(write_config(scene, ["wec001"])) as running:
            url = (await running.says("metrics at")).split()[-1]
            await scene.hub.reports("wec001", "Pod/p", {"n": 1})
            assert scene.hub.statuses("wec002") == {}

            write_config(scene, ["wec001", "wec002"], hub_qps=-1)
            running.process.send_signal(signal.SIGHUP)
            assert "hub_qps" in await running.says("keeping the old configuration")

            write_config(scene, ["wec001", "wec002"])
            running.process.send_signal(signal.SIGHUP)
            await scene.hub.reports("wec002", "Pod/p", {"n": 1})

            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                text = await answer.text()
            assert 'fleet_status_agent_work_status_creates_total{wec="wec002"} 1' in text

            running.process.send_signal(signal.SIGTERM)
            await running.says("stopped")
            async with asyncio.timeout(SECONDS):
                assert await running.process.wait() == 0
        assert len((tmp_path / "writes.jsonl").read_text().splitlines()) == 4


async def test_a_kubeconfig_that_comes_later_is_waited_for(tmp_path: Path) -> None:
    async with make_scene(tmp_path, "wec001", tls=True) as scene:
        write_kubeconfigs(scene)
        (tmp_path / "wec001.kubeconfig").rename(tmp_path / "hidden")
        wec = scene.wecs["wec001"]
        amw = wec.work("mw")
        wec.list_applied(amw, wec.put(PODS, "p", {"n": 1}, amw))
        async with program(write_config(scene, ["wec001"])) as running:
            await running.says("does not exist")
            (tmp_path / "hidden").rename(tmp_path / "wec001.kubeconfig")
            await scene.hub.reports("wec001", "Pod/p", {"n": 1})


def test_bad_input_ends_with_exit_code_2(tmp_path: Path) -> None:
    config = tmp_path / "agent.json"
    config.touch(0o600)
    config.write_text('{"hub_kubeconfig": "none", "wecs": []}')
    assert main(["--config", str(config)]) == 2
    config.write_text("{}")
    assert main(["--config", str(config)]) == 2
    config.chmod(0o644)
    assert main(["--config", str(config)]) == 2


async def test_a_taken_port_or_a_missing_folder_is_named(tmp_path: Path) -> None:
    async with make_scene(tmp_path, "wec001") as scene:
        taken = scene.hub.server.url.removeprefix("http://")
        with pytest.raises(HostError, match=f"metrics_address {taken}.*choose another"):
            async with scene.agent(metrics_address=taken):
                pass
        with pytest.raises(HostError, match="make its folder"):
            async with scene.agent(log=tmp_path / "none" / "x.jsonl"):
                pass
