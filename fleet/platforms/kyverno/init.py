"""Kyverno's init container, run as a process before its controllers, since no kubelet runs it."""

from __future__ import annotations

import asyncio
import os

from fleet.errors import HostError
from fleet.kube.client import KubeClient
from fleet.kube.errors import NotFound
from fleet.kube.resources import LEASES
from fleet.platforms.kyverno import names, programs
from fleet.platforms.kyverno.places import Places

SECONDS = 120.0
"""It waits for a lease first; seconds on an idle machine."""
TAIL = 2000
"""Characters of its last words that an error repeats."""


async def has_run(client: KubeClient) -> bool:
    """Whether it ever did in this WEC."""
    try:
        await client.get(LEASES, names.INIT_LOCK, names.NAMESPACE)
    except NotFound:
        return False
    return True


async def run(places: Places) -> None:
    """Until it ends; HostError with its last words when it fails."""
    seat = places.seat
    process = await asyncio.create_subprocess_exec(
        *programs.init_command(places),
        env={"PATH": os.environ.get("PATH", ""), **programs.environment(names.ADMISSION, seat.wec)},
        cwd=seat.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(SECONDS):
            words, _ = await process.communicate()
    except TimeoutError as error:
        raise HostError(f"{seat.wec}: {names.INIT} took over {SECONDS:.0f} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise HostError(f"{seat.wec}: {names.INIT} failed:\n{words.decode(errors='replace')[-TAIL:]}")
