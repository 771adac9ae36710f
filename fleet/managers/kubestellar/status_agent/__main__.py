"""`python -m` this package `--config FILE`: runs until SIGTERM; SIGHUP makes it read the file again."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path

from fleet.errors import FleetError
from fleet.managers.kubestellar.status_agent.agent import Agent, connect_hub, connect_wec
from fleet.managers.kubestellar.status_agent.config import load_config

log = logging.getLogger("fleet.managers.kubestellar.status_agent")


async def serve(path: Path) -> None:
    """Serve the WECs of that file until SIGTERM or SIGINT. SpecError when it or the hub kubeconfig is wrong."""
    loop = asyncio.get_running_loop()
    stop, reload = asyncio.Event(), asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    config = load_config(path)
    async with Agent(config, connect_hub(config), connect_wec) as agent:
        if agent.address:
            log.info("metrics at http://%s/metrics", agent.address)
        stopping = loop.create_task(stop.wait())
        while not stop.is_set():
            reloading = loop.create_task(reload.wait())
            await asyncio.wait((stopping, reloading), return_when=asyncio.FIRST_COMPLETED)
            reloading.cancel()
            if reload.is_set() and not stop.is_set():
                reload.clear()
                await _reload(agent, path)
    log.info("stopped")


async def _reload(agent: Agent, path: Path) -> None:
    try:
        await agent.apply(load_config(path))
    except FleetError as error:
        log.error("keeping the old configuration: %s", error)  # noqa: TRY400 - the text says it all


def main(arguments: list[str] | None = None) -> int:
    """The program; returns its exit code, that of the error tree."""
    parser = argparse.ArgumentParser(prog="python -m fleet.managers.kubestellar.status_agent", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON file, mode 0600")
    parser.add_argument("--verbose", action="store_true", help="log every retry too")
    options = parser.parse_args(arguments)
    os.umask(0o077)
    level = logging.DEBUG if options.verbose else logging.INFO
    logging.basicConfig(stream=sys.stderr, level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        _run(serve(options.config))
    except FleetError as error:
        log.error("%s", error)  # noqa: TRY400 - the text says it all
        return error.exit_code
    return 0


def _run(program: Coroutine[None, None, None]) -> None:
    """On uvloop where it can be had: about half the CPU for many small watches."""
    try:
        import uvloop  # noqa: PLC0415 - optional
    except ImportError:
        asyncio.run(program)
    else:
        uvloop.run(program)


if __name__ == "__main__":
    sys.exit(main())
