"""Programs and control planes of this machine brought back after a fault, and the processes that they are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from fleet.errors import DeadlineError
from fleet.host.https import Endpoint
from fleet.host.ready import wait_ready
from fleet.host.records import stored_planes
from fleet.host.supervise import Supervisor

BACK_SECONDS = 180.0
"""For programs that run again, and for an API server that is ready again."""
POLL = 0.1
RUNNING = "RUNNING"
ENDED = ("STOPPED", "EXITED", "FATAL")


def processes(supervisor: Supervisor, names: Sequence[str]) -> list[psutil.Process]:
    """Those programs' processes, with the children that they have."""
    pids = {state.name: state.pid for state in supervisor.states()}
    found: list[psutil.Process] = []
    for name in names:
        try:
            process = psutil.Process(pids.get(name) or -1)
            found += [process, *process.children(recursive=True)]
        except (psutil.NoSuchProcess, ValueError):
            continue
    return found


def bring_back(supervisor: Supervisor, names: Sequence[str], seconds: float = BACK_SECONDS) -> None:
    """Start those that ended for good and wait until all run. DeadlineError names the first that does not."""
    wanted = set(names)
    end = time.monotonic() + seconds
    while True:
        states = {state.name: state for state in supervisor.states() if state.name in wanted}
        for name in wanted:
            if name not in states or states[name].state in ENDED:
                supervisor.start(name)  # it says so when there is no supervisor, or no such program
        left = sorted(name for name in wanted if name not in states or states[name].state != RUNNING)
        if not left:
            return
        if time.monotonic() > end:
            raise DeadlineError(f"{left[0]} did not run within {seconds:.0f} s\n{supervisor.tail(left[0])}")
        time.sleep(POLL)


def ready(root: Path, names: Sequence[str], seconds: float = BACK_SECONDS) -> None:
    """Wait until these control planes of this machine say that they are ready; others' are passed over."""
    supervisor = Supervisor(root)
    layout = supervisor.layout
    servers = {stored.name: stored.server for stored in stored_planes(layout)}
    for name in names:
        if name not in servers:
            continue
        certificates = layout.cluster(name) / "pki"
        endpoint = Endpoint(
            servers[name], layout.pki / "ca.crt", certificates / "admin.crt", certificates / "admin.key"
        )
        wait_ready(name, endpoint, deadline=seconds, alive=_nothing, tail=lambda: "")


def _nothing() -> None:
    """Whether the programs live is what `bring_back` looks at."""
