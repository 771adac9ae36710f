"""When KubeStellar's programs do their work: by what they made, serve and log, never by time."""

from __future__ import annotations

from pathlib import Path

from fleet.host.supervise import Supervisor
from fleet.install.crds import wait_established
from fleet.install.program_parts import metrics_url
from fleet.install.readiness import metrics_answer, until_it_works
from fleet.kube.client import KubeClient
from fleet.kube.resources import (
    BINDING_POLICIES,
    BINDINGS,
    COMBINED_STATUSES,
    CUSTOM_TRANSFORMS,
    STATUS_COLLECTORS,
)

LOG_BYTES = 4 << 20
"""Of a log's end; both programs say that they work within their first 100 lines or so."""
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


async def controller_manager(wds: KubeClient, supervisor: Supervisor, program: str, port: int) -> float:
    """Wait until its CRDs are served in the WDS, both controllers say so, and its metrics answer; seconds."""

    async def look() -> bool:
        log = supervisor.layout.program_log(program)
        return says(log, CONTROLLER_MARK, CONTROLLER_TIMES) and await metrics_answer(metrics_url(port))

    seconds = await until_it_works(supervisor, program, look, "its controllers did not start")
    await wait_established(wds, [f"{resource.plural}.{resource.group}" for resource in WDS_CRDS])
    return seconds


async def transport(supervisor: Supervisor, program: str, port: int) -> float:
    """Wait until its workers run and its metrics answer; seconds."""

    async def look() -> bool:
        return says(supervisor.layout.program_log(program), TRANSPORT_MARK, 1) and await metrics_answer(
            metrics_url(port)
        )

    return await until_it_works(supervisor, program, look, "its workers did not start")


def _end_of(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - LOG_BYTES))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
