"""When the hub's programs do their work: by what they made, serve and log, never by time."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from fleet.errors import HostError, KubeError
from fleet.host.supervise import Supervisor
from fleet.install.crds import wait_established
from fleet.install.program_parts import metrics_url
from fleet.install.waiting import until
from fleet.kube.client import KubeClient
from fleet.kube.errors import NotFound
from fleet.kube.resources import (
    BINDING_POLICIES,
    BINDINGS,
    COMBINED_STATUSES,
    CUSTOM_TRANSFORMS,
    STATUS_COLLECTORS,
    Resource,
)

READY_SECONDS = 240.0
HTTP_SECONDS = 5.0
LOG_BYTES = 4 << 20
"""Of a log's end; both programs say that they work within their first 100 lines or so."""
CLUSTER_SETS = Resource(
    "cluster.open-cluster-management.io", "v1beta2", "managedclustersets", "ManagedClusterSet", False
)
GLOBAL_SET = "global"
"""The cluster set that OCM's registration controller makes once its informers are filled."""

START_MARK = '"Command line flag"'
"""Both KubeStellar programs log every flag first."""
CONTROLLER_MARK, CONTROLLER_TIMES = '"Started workers"', 2
"""Once by the binding controller, once by the status controller."""
TRANSPORT_MARK = '"started workers"'

WDS_CRDS = (BINDING_POLICIES, BINDINGS, CUSTOM_TRANSFORMS, STATUS_COLLECTORS, COMBINED_STATUSES)


def says(log: Path, mark: str, times: int) -> bool:
    """Whether the newest start of a program, as its log has it, was followed by `mark` that often.

    A log whose start was rotated away belongs to a program that has long been running.
    """
    text = _end_of(log)
    start = text.rfind(START_MARK)
    if start < 0:
        return len(text) > 0 and log.with_name(log.name + ".1").exists()
    return text.count(mark, start) >= times


async def registration(its: KubeClient, supervisor: Supervisor, program: str) -> float:
    """Wait for the cluster set that the registration controller makes; seconds."""

    async def look() -> bool:
        _check_alive(supervisor, program)
        try:
            await its.get(CLUSTER_SETS, GLOBAL_SET)
        except NotFound:
            return False
        return True

    late = _late(supervisor, program, f"cluster set {GLOBAL_SET} was not made")
    return await until(look, READY_SECONDS, late, progress=lambda: supervisor.work_done(program))


async def controller_manager(wds: KubeClient, supervisor: Supervisor, program: str, port: int) -> float:
    """Wait until its CRDs are served in the WDS, both controllers say so, and its metrics answer; seconds."""

    async def look() -> bool:
        _check_alive(supervisor, program)
        log = supervisor.layout.program_log(program)
        return says(log, CONTROLLER_MARK, CONTROLLER_TIMES) and await _answers(metrics_url(port))

    late = _late(supervisor, program, "its controllers did not start")
    seconds = await until(look, READY_SECONDS, late, progress=lambda: supervisor.work_done(program))
    await wait_established(wds, [f"{resource.plural}.{resource.group}" for resource in WDS_CRDS])
    return seconds


async def transport(supervisor: Supervisor, program: str, port: int) -> float:
    """Wait until its workers run and its metrics answer; seconds."""

    async def look() -> bool:
        _check_alive(supervisor, program)
        return says(supervisor.layout.program_log(program), TRANSPORT_MARK, 1) and await _answers(metrics_url(port))

    late = _late(supervisor, program, "its workers did not start")
    return await until(look, READY_SECONDS, late, progress=lambda: supervisor.work_done(program))


async def answers(client: KubeClient) -> bool:
    """Whether an API server answers at all."""
    try:
        return await client.ready()
    except KubeError:
        return False


def _check_alive(supervisor: Supervisor, program: str) -> None:
    state = supervisor.state(program)
    if state is None or state.state in ("FATAL", "STOPPED"):
        what = "unknown to the supervisor" if state is None else state.state
        raise HostError(f"{program} does not run ({what}); its last lines:\n{supervisor.tail(program)}")


def _late(supervisor: Supervisor, program: str, what: str) -> Callable[[], str]:
    return lambda: f"{program}: {what}; its last lines:\n{supervisor.tail(program)}"


async def _answers(url: str) -> bool:
    return await asyncio.to_thread(_http_ok, url)


def _http_ok(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=HTTP_SECONDS) as answer:  # noqa: S310 - always http on loopback
            return bool(answer.status == HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return False


def _end_of(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - LOG_BYTES))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
