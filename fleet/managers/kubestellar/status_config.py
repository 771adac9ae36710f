"""The status agent of one machine: its configuration, its own credential, its program, and telling it of changes."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleet.host.files import private_directory, write_private
from fleet.host.layout import Layout
from fleet.host.machine import Machine
from fleet.host.supervisor_config import Program
from fleet.install import dial
from fleet.install.program_parts import Extra, loopback
from fleet.managers.ocm import names
from fleet.managers.ocm.access import HubAccess
from fleet.managers.ocm.programs import STATUS_PORTS, status_agent
from fleet.model.client_limits import ClientLimits


@dataclass(frozen=True)
class StatusSpec:
    """How status comes back; with `enabled` false no agent runs (another implementation is wired by the user)."""

    enabled: bool = True
    limits: ClientLimits = field(default_factory=ClientLimits)
    parity: bool = False
    """Call the hub exactly as ocm-status-addon does."""
    journal: bool = False
    """Write one JSON line per WorkStatus write beside its log."""
    extra: Extra = field(default_factory=Extra)
    python: Path = Path(sys.executable)
    seat: str = ""
    """The ITS's place among several (fleet.managers.ocm.names.at)."""
    several: bool = False
    """The WECs have agents at other ITSes too: only what the one at `seat` applied is reported."""

    @property
    def program(self) -> str:
        """Its name under the supervisor."""
        return names.status_program(self.seat)


@dataclass(frozen=True)
class StatusFiles:
    """What was written, and the program; none when no agent is wanted."""

    programs: tuple[Program, ...]
    digest: str


def config_file(layout: Layout, seat: str = "") -> Path:
    """The agent's configuration."""
    return layout.root / "hub" / f"{names.status_program(seat)}.json"


def kubeconfig_file(layout: Layout, seat: str = "") -> Path:
    """The agent's own hub kubeconfig."""
    return layout.root / "hub" / f"{names.status_program(seat)}.kubeconfig"


def _applied_file(layout: Layout, seat: str) -> Path:
    """Digest of the configuration that the running agent was told of: a run that was killed in between is repaired."""
    return layout.root / "hub" / f"{names.status_program(seat)}.applied"


def _journal_file(layout: Layout, seat: str) -> Path:
    return layout.log / f"{names.status_program(seat)}.journal"


def write(spec: StatusSpec, machine: Machine, access: HubAccess, wecs: Iterable[str]) -> StatusFiles:
    """Write configuration and credential; the program that reads them."""
    if not spec.enabled:
        return StatusFiles((), "")
    layout, seat = machine.layout, spec.seat
    private_directory(layout.root / "hub")
    write_private(kubeconfig_file(layout, seat), access.status_agent())
    live = spec.program in machine.live_programs()
    port = machine.take(spec.program, STATUS_PORTS, in_use=live).start
    others = dial.places(layout, access.endpoint.server)
    document = {
        "hub_kubeconfig": str(kubeconfig_file(layout, seat)),
        "wecs": [_entry(spec, layout, wec) for wec in wecs],
        "hub_qps": spec.limits.status_hub_qps,
        "hub_burst": spec.limits.status_hub_burst,
        "local_qps": spec.limits.status_local_qps,
        "local_burst": spec.limits.status_local_burst,
        "parity": spec.parity,
        "metrics_address": loopback(port),
        **({"log": str(_journal_file(layout, seat))} if spec.journal else {}),
        **({"allowed": list(others)} if others else {}),
    }
    text = _render(document)
    write_private(config_file(layout, seat), text)
    return StatusFiles(tuple(planned(spec, machine)), hashlib.sha256(text).hexdigest())


def _entry(spec: StatusSpec, layout: Layout, wec: str) -> dict[str, str]:
    entry = {"name": wec, "kubeconfig": str(layout.kubeconfig(wec))}
    return entry | ({"agent": names.agent_id(wec, spec.seat)} if spec.several else {})


def _render(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()


def planned(spec: StatusSpec, machine: Machine) -> list[Program]:
    """The program, as the files on disk have it."""
    if not spec.enabled:
        return []
    layout, seat = machine.layout, spec.seat
    files = config_file(layout, seat), kubeconfig_file(layout, seat)
    return [status_agent(spec.python, layout, *files, spec.extra, seat=seat)]


def without(machine: Machine, wecs: Iterable[str], seat: str = "") -> None:
    """Take WECs out of the configuration and tell the agent, so that it does not call on control planes that go."""
    file, gone = config_file(machine.layout, seat), set(wecs)
    if not file.exists():
        return
    document = json.loads(file.read_bytes())
    document["wecs"] = [entry for entry in document["wecs"] if entry["name"] not in gone]
    text = _render(document)
    write_private(file, text)
    notify(machine, hashlib.sha256(text).hexdigest(), seat)


def forget(machine: Machine, seat: str) -> None:
    """Remove all files of the agent of an ITS that is no more, and give its port back; it must have ended."""
    layout = machine.layout
    for file in (config_file(layout, seat), kubeconfig_file(layout, seat), _applied_file(layout, seat)):
        file.unlink(missing_ok=True)
    for log in layout.log.glob(f"{names.status_program(seat)}.*"):
        log.unlink(missing_ok=True)
    machine.registry.give_back(machine.fleet, names.status_program(seat))


def notify(machine: Machine, digest: str, seat: str = "") -> bool:
    """Make a running agent read its configuration again unless it was told of this one; True when it was told now.

    An agent that was started after the file was written has read it: being told once more does it no harm.
    """
    applied = _applied_file(machine.layout, seat)
    if applied.exists() and applied.read_text(encoding="ascii") == digest:
        return False
    state = machine.supervisor.state(names.status_program(seat))
    if state is not None and state.pid:
        os.kill(state.pid, signal.SIGHUP)
    write_private(applied, digest.encode("ascii"))
    return True
