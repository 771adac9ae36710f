"""The status agent of one machine at one ITS: rights, configuration, credential, program."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from fleet.host.files import private_directory, write_private
from fleet.host.layout import Layout
from fleet.host.machine import Machine
from fleet.host.supervisor_config import Program
from fleet.install import dial
from fleet.install.program_parts import Extra, loopback
from fleet.kube.resources import Resource
from fleet.managers.kubestellar import names
from fleet.managers.kubestellar.programs import STATUS_PORTS, status_agent
from fleet.managers.ocm.access import HubAccess
from fleet.managers.ocm.companion import Beside
from fleet.managers.ocm.identities import role_objects
from fleet.managers.ocm.names import agent_id
from fleet.model.client_limits import ClientLimits


@dataclass(frozen=True)
class StatusSpec:
    """How status comes back; with `enabled` false no agent runs (another implementation is wired by the user)."""

    enabled: bool = True
    limits: ClientLimits = field(default_factory=ClientLimits)
    parity: bool = False
    """Call the hub exactly as ocm-status-addon does."""
    journal: bool = False
    """Write one JSON line per WorkStatus write alongside its log."""
    extra: Extra = field(default_factory=Extra)
    python: Path = Path(sys.executable)
    seat: str = ""
    """The ITS's place among several (`fleet.managers.ocm.names.at`)."""
    several: bool = False
    """The WECs have agents at other ITSes too: only what the one at `seat` applied is reported."""

    def at(self, seat: str) -> Self:
        """As in Companion."""
        return replace(self, seat=seat, several=True)

    def names(self) -> tuple[str, ...]:
        """As in Companion; also of one that is no longer wanted."""
        return (names.status_program(self.seat),)

    def write(self, machine: Machine, access: HubAccess, wecs: Iterable[str]) -> Beside:
        """As in Companion."""
        return _write(self, machine, access, wecs) if self.enabled else Beside()

    def planned(self, machine: Machine) -> list[Program]:
        """As in Companion."""
        return _planned(self, machine) if self.enabled else []

    def notify(self, machine: Machine, digest: str) -> bool:
        """As in Companion. One that was started after the file was written has read it: another signal does no harm."""
        return bool(digest) and _notify(machine, digest, self.seat)

    def without(self, machine: Machine, wecs: Iterable[str]) -> None:
        """As in Companion: it must not call on control planes that go."""
        _without(machine, wecs, self.seat)

    def forget(self, machine: Machine) -> None:
        """As in Companion."""
        _forget(machine, self.seat)


def config_file(layout: Layout, seat: str = "") -> Path:
    """The agent's configuration."""
    return layout.root / "hub" / f"{names.status_program(seat)}.json"


def kubeconfig_file(layout: Layout, seat: str = "") -> Path:
    """The agent's own hub kubeconfig."""
    return layout.root / "hub" / f"{names.status_program(seat)}.kubeconfig"


def _applied_file(layout: Layout, seat: str) -> Path:
    """Digest of the configuration that the running agent was given: a run that was killed in between is repaired."""
    return layout.root / "hub" / f"{names.status_program(seat)}.applied"


def _journal_file(layout: Layout, seat: str) -> Path:
    return layout.log / f"{names.status_program(seat)}.journal"


def _write(spec: StatusSpec, machine: Machine, access: HubAccess, wecs: Iterable[str]) -> Beside:
    """Write configuration and credential; the program that reads them."""
    layout, seat = machine.layout, spec.seat
    private_directory(layout.root / "hub")
    write_private(kubeconfig_file(layout, seat), access.credential(names.STATUS_IDENTITY))
    program = names.status_program(seat)
    port = machine.take(program, STATUS_PORTS, in_use=program in machine.live_programs()).start
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
    return Beside(tuple(_planned(spec, machine)), hashlib.sha256(text).hexdigest())


def _entry(spec: StatusSpec, layout: Layout, wec: str) -> dict[str, str]:
    entry = {"name": wec, "kubeconfig": str(layout.kubeconfig(wec))}
    return entry | ({"agent": agent_id(wec, spec.seat)} if spec.several else {})


def _render(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()


def _planned(spec: StatusSpec, machine: Machine) -> list[Program]:
    layout, seat = machine.layout, spec.seat
    files = config_file(layout, seat), kubeconfig_file(layout, seat)
    return [status_agent(spec.python, layout, *files, spec.extra, seat=seat)]


def _without(machine: Machine, wecs: Iterable[str], seat: str) -> None:
    file, gone = config_file(machine.layout, seat), set(wecs)
    if not file.exists():
        return
    document = json.loads(file.read_bytes())
    document["wecs"] = [entry for entry in document["wecs"] if entry["name"] not in gone]
    text = _render(document)
    write_private(file, text)
    _notify(machine, hashlib.sha256(text).hexdigest(), seat)


def _forget(machine: Machine, seat: str) -> None:
    layout = machine.layout
    for file in (config_file(layout, seat), kubeconfig_file(layout, seat), _applied_file(layout, seat)):
        file.unlink(missing_ok=True)
    for log in layout.log.glob(f"{names.status_program(seat)}.*"):
        log.unlink(missing_ok=True)
    machine.registry.give_back(machine.fleet, names.status_program(seat))


def _notify(machine: Machine, digest: str, seat: str) -> bool:
    applied = _applied_file(machine.layout, seat)
    if applied.exists() and applied.read_text(encoding="ascii") == digest:
        return False
    state = machine.supervisor.state(names.status_program(seat))
    if state is not None and state.pid:
        os.kill(state.pid, signal.SIGHUP)
    write_private(applied, digest.encode("ascii"))
    return True


def status_agent_objects() -> list[tuple[Resource, dict[str, Any]]]:
    """What a status agent needs on the ITS: WorkStatuses whole, ManifestWorks to read."""
    everything = ["create", "delete", "get", "list", "patch", "update", "watch"]
    control, work = "control.kubestellar.io", "work.open-cluster-management.io"
    rules = [
        {"apiGroups": [control], "resources": ["workstatuses"], "verbs": everything},
        {"apiGroups": [control], "resources": ["workstatuses/status"], "verbs": ["get", "patch", "update"]},
        {"apiGroups": [work], "resources": ["manifestworks"], "verbs": ["get", "list", "watch"]},
    ]
    return role_objects("fleet:status-agent", names.STATUS_IDENTITY.group, rules)
