"""A program on a tether: its pid, its end, and that it goes with the one that holds it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from fleet.errors import MeasurementError
from fleet.observe.tethered import MODULE, Order, tethered


async def test_it_runs_inside_the_block_and_not_behind_it(tmp_path: Path) -> None:
    async with tethered(["sleep", "60"], tmp_path / "log") as running:
        assert psutil.Process(running.pid).is_running()
        assert os.sched_getscheduler(running.pid) == os.SCHED_OTHER
        assert not running.ended.done()
    assert not psutil.pid_exists(running.pid)


async def test_one_that_ends_by_itself_says_its_code(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with tethered(["sh", "-c", "echo here; exit 7"], log) as running:
        assert await running.ended == 7
    assert log.read_text() == "here\n"
    async with tethered(["sh", "-c", "kill -9 $$"], tmp_path / "log") as running:
        assert await running.ended == -9


async def test_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match=r"/nowhere/scheduler cannot be run: No such file"):
        async with tethered(["/nowhere/scheduler"], tmp_path / "log"):
            pass


def test_it_does_not_outlive_who_holds_it_even_when_it_ignores_the_signal(tmp_path: Path) -> None:
    order = Order(argv=["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"], log=str(tmp_path / "log"))
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-m", MODULE], stdin=pipe, stdout=pipe) as helper:
        assert helper.stdin is not None
        assert helper.stdout is not None
        helper.stdin.write(order.model_dump_json().encode() + b"\n")
        helper.stdin.flush()
        pid = int(helper.stdout.readline())
        helper.stdin.close()  # as when the driver is killed
        assert helper.wait(30) == 0
    end = time.monotonic() + 10
    while psutil.pid_exists(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid)


async def test_cancelled_it_is_ended_too(tmp_path: Path) -> None:
    pid: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def hold() -> None:
        async with tethered(["sleep", "60"], tmp_path / "log") as running:
            pid.set_result(running.pid)
            await asyncio.sleep(60)

    task = asyncio.create_task(hold())
    found = await pid
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not psutil.pid_exists(found)
