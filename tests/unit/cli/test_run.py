"""`fleet experiment run` as a process of its own, against fake API servers and a stand-in of KubeStellar."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.unit.experiment.stand_in import StandInFleet

EXPERIMENT = """experiment: wec-scaling
wecs: [1]
layouts: [one-to-many]
workload: {kind: configmap}
repeats: 1
warmup: 0
quiet: 4100ms
timeouts: {settle: 60s, object: 60s, clean: 60s}
thresholds: [{stage: downsync, test: p50 < 0ms}]  # no run can keep it, however fast the stand-in is
"""


@pytest.fixture
async def stand_in(tmp_path: Path) -> AsyncIterator[StandInFleet]:
    """A fleet named test of one WEC, in the state folder."""
    state = tmp_path / "state" / "test"
    state.mkdir(parents=True, mode=0o700)
    async with StandInFleet(state, 1) as running:
        file = state / "fleet.json"
        file.write_text(running.file().model_dump_json())
        file.chmod(0o600)
        (tmp_path / "work" / "mine.yaml").write_text(EXPERIMENT)
        yield running


async def start(*words: str) -> Process:
    return await start_program("experiment", *words)


async def start_program(*words: str) -> Process:
    command = [sys.executable, "-m", "fleet", *words]
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, env=os.environ | {"CI": "1"})


async def test_a_run_prints_the_report_and_one_verdict(stand_in: StandInFleet) -> None:
    """Whether it is valid is up to the machine: a driver that shares it with many tests may be late, and says so."""
    running = await start("run", "mine.yaml", "--set", "name=mine", "--set", "repeats=2", "--repeats", "1")
    assert (await running.communicate())[0] == b""  # a field that is given twice is refused
    assert running.returncode == 2
    running = await start("run", "mine.yaml", "--set", "name=mine", "--repeats", "1")
    out, err = await running.communicate()
    report = Path(out.decode().strip())
    assert report.parts[:2] == ("results", "mine"), err.decode()
    record, summary = (json.loads(report.with_name(name).read_text()) for name in ("run.json", "summary.json"))
    assert (record["status"], record["reasons"]) == (summary["status"], summary["reasons"])
    assert running.returncode == {"valid": 3, "partial": 4}[record["status"]]
    again = await start_program("report")
    assert (await again.communicate())[0].decode().strip() == str(report)
    assert json.loads(report.with_name("summary.json").read_text()) == summary
    told = err.decode()
    assert f"/{report.parent.name}: {record['status']}\n" in told
    assert "downsync  one-to-many" in told
    assert "threshold failed: downsync (one-to-many, 1 WEC): p50 < 0ms" in told
    assert "\x1b" not in told
    assert stand_in.leftovers() == []


async def test_a_live_run_serves_its_page_while_it_goes_on_and_then_its_report(stand_in: StandInFleet) -> None:
    running = await start("run", "mine.yaml", "--set", "repeats=4", "--live")
    assert running.stderr is not None
    first = (await running.stderr.readline()).decode()
    assert first.startswith("live: http://127.0.0.1:")
    address = first.removeprefix("live: ").strip()
    bodies: list[str] = []
    async with aiohttp.ClientSession() as client, asyncio.timeout(120):
        async with client.get(address) as page:
            assert "new EventSource" in await page.text()
        async with client.get(f"{address}updates") as updates:
            async for line in updates.content:
                if line.startswith(b"event: end"):
                    break
                if line.startswith(b"data: "):
                    bodies.append(json.loads(line.removeprefix(b"data: ")))
        async with client.get(address) as page:
            frozen = await page.text()
    out, err = await running.communicate()
    report = Path(out.decode().strip())
    made = await asyncio.to_thread(report.read_text)
    assert frozen == made, err.decode()
    assert "not begun yet" in bodies[0]
    going = [body for body in bodies if "<strong>running</strong>" in body]
    assert any("trial 1 of 4: one-to-many, 1 WEC, repeat 1" in body for body in going)
    assert any('aria-label="Latency over the run"' in body for body in going)
    async with aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.ClientConnectorError):  # its process has ended with the command
            await client.get(address)
    assert stand_in.leftovers() == []


async def test_ctrl_c_keeps_what_was_measured_cleans_and_ends_with_130(stand_in: StandInFleet) -> None:
    running = await start("run", "mine.yaml", "--set", "repeats=50")
    assert running.stderr is not None
    first = await running.stderr.readline()
    assert b"results in " in first
    running.send_signal(signal.SIGINT)
    out, err = await running.communicate()
    assert running.returncode == 130, err.decode()
    report = Path(out.decode().strip())
    assert json.loads(report.with_name("run.json").read_text())["interrupted"] == "SIGINT"
    assert "Traceback" not in err.decode()
    assert stand_in.leftovers() == []


async def test_what_a_killed_run_left_is_cleaned(stand_in: StandInFleet) -> None:
    running = await start("run", "mine.yaml", "--set", "repeats=50")
    assert running.stderr is not None
    async with asyncio.timeout(60):
        while not stand_in.leftovers():  # noqa: ASYNC110 - the fake servers' stores notify nobody
            await asyncio.sleep(0.05)
    running.kill()
    await running.communicate()
    assert stand_in.leftovers()
    cleaning = await start("clean")
    out, err = await cleaning.communicate()
    assert (cleaning.returncode, out) == (0, b""), err.decode()
    assert b"removed" in err
    assert stand_in.leftovers() == []
    again = await start("clean")
    _, err = await again.communicate()
    assert b"nothing was left" in err
