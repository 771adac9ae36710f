"""The Job by which virt-operator learns what to install: run as a process, since no kubelet runs its pod."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any

from fleet.errors import HostError
from fleet.kube.client import KubeClient
from fleet.kube.resources import JOBS
from fleet.platforms.kubevirt import names, programs
from fleet.platforms.kubevirt.places import Places

SECONDS = 240.0
"""For reading the generators' output into a ConfigMap; under a second on an idle machine."""
TAIL = 2000
"""Characters of its last words that an error repeats."""


async def dump(places: Places, client: KubeClient, done: set[str]) -> None:
    """Run each Job that is not in `done` (uids) yet, and put it there. HostError with its last words when it fails."""
    jobs = await client.list_all(JOBS, names.NAMESPACE, label_selector=names.STRATEGY_LABEL)
    for job in jobs:
        uid = job["metadata"]["uid"]
        if uid not in done:
            await _run(places, _environment(job))
            done.add(uid)


def _environment(job: Mapping[str, Any]) -> dict[str, str]:
    container = job["spec"]["template"]["spec"]["containers"][0]
    return {each["name"]: str(each.get("value") or "") for each in container.get("env") or ()}


async def _run(places: Places, env: Mapping[str, str]) -> None:
    command = (
        str(places.seat.upstream.program(names.OPERATOR)),
        "--dump-install-strategy",
        f"--kubeconfig={programs.operator_kubeconfig(places)}",
    )
    process = await asyncio.create_subprocess_exec(
        *command,
        env={"PATH": os.environ.get("PATH", ""), **env},
        cwd=places.seat.folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS):
            _, words = await process.communicate()
    except TimeoutError as error:
        raise HostError(
            f"{places.seat.wec}: virt-operator --dump-install-strategy took over {SECONDS:.0f} s"
        ) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        tail = words.decode(errors="replace")[-TAIL:]
        raise HostError(f"{places.seat.wec}: virt-operator --dump-install-strategy failed:\n{tail}")
