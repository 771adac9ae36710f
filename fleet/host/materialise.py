"""Write a plan's files to disk, only where something differs; or say what differs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from fleet.host.authority import Pair
from fleet.host.change import Change
from fleet.host.files import DIRECTORY_MODE, mode_of, private_directory, same_private, write_private
from fleet.host.kubeconfig import render_kubeconfig
from fleet.host.machine import Machine
from fleet.host.pki import FleetPki
from fleet.host.plan import PLANE_FILE, Certificate, Kubeconfig, Plan, PlannedProgram, TextFile
from fleet.host.supervise import Program

ABSENT = "absent"
"""What was absent before has no line there: a diff shows it as added."""
DIGEST_LENGTH = 16
DIGEST_VARIABLE = "FLEET_FILES_SHA256"
"""In the environment of a program: a digest of the files that it reads only when it starts, so that it
restarts with them."""


@dataclass(frozen=True)
class Materialised:
    """What changed on disk, and the programs with the digest of their files."""

    change: Change
    programs: tuple[Program, ...]
    changed_paths: frozenset[Path]


def materialise(machine: Machine, plan: Plan, pki: FleetPki | None) -> Materialised:
    """Bring the files of `plan` about; with `machine.check` only report.

    `pki` None, in check mode only, means that there are no authorities yet: everything will be issued.
    """
    notes = _Notes(machine.root)
    for directory in dict.fromkeys((machine.layout.clusters, *plan.directories)):
        _directory(machine, directory, notes)
    # The record of a control plane first: when we are killed right here, the next run finds it and goes on.
    for text in sorted(plan.texts, key=lambda text: text.path.name != PLANE_FILE):
        _text(machine, text, notes)
    for certificate in plan.certificates:
        old = "to be renewed" if certificate.cert.exists() else ABSENT
        if _certificate(machine, pki, certificate):
            notes.add(certificate.cert, old, "issued")
    for kubeconfig in plan.kubeconfigs:
        old = "other" if kubeconfig.path.exists() else ABSENT
        if _kubeconfig(machine, kubeconfig, notes.paths):
            notes.add(kubeconfig.path, old, f"kubeconfig of {kubeconfig.server}")
    stale = notes.paths if machine.check else set()
    programs = tuple(_with_digest(planned, stale) for planned in plan.programs)
    return Materialised(Change.between(notes.before, notes.after), programs, frozenset(notes.paths))


@dataclass
class _Notes:
    """What differed, in words and as paths."""

    root: Path
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    paths: set[Path] = field(default_factory=set)

    def add(self, path: Path, old: str, new: str) -> None:
        key = f"file {path.relative_to(self.root)}"
        self.paths.add(path)
        if old != ABSENT:
            self.before[key] = old
        self.after[key] = new


def _directory(machine: Machine, directory: Path, notes: _Notes) -> None:
    if directory.is_dir() and mode_of(directory) == DIRECTORY_MODE:
        return
    notes.add(directory, "mode to repair" if directory.is_dir() else ABSENT, "folder 0700")
    if not machine.check:
        private_directory(directory)


def _text(machine: Machine, text: TextFile, notes: _Notes) -> None:
    data = text.text.encode()
    if same_private(text.path, data):
        return
    old = _digest_of([text.path]) if text.path.exists() else ABSENT
    if not machine.check:
        write_private(text.path, data)
    notes.add(text.path, old, hashlib.sha256(data).hexdigest()[:DIGEST_LENGTH])


def _certificate(machine: Machine, pki: FleetPki | None, certificate: Certificate) -> bool:
    if pki is None:
        return True
    authority = pki.authority(certificate.authority)
    if machine.check:
        return authority.due(Pair(certificate.cert, certificate.key), certificate.subject)
    return authority.issue(certificate.directory, certificate.name, certificate.subject).changed


def _kubeconfig(machine: Machine, kubeconfig: Kubeconfig, changed: Iterable[Path]) -> bool:
    certificate = kubeconfig.certificate
    if machine.check and certificate.cert in set(changed):
        return True
    data = render_kubeconfig(
        kubeconfig.server, machine.layout.pki / "ca.crt", certificate.cert, certificate.key, kubeconfig.context
    )
    return not same_private(kubeconfig.path, data) if machine.check else write_private(kubeconfig.path, data)


def _with_digest(planned: PlannedProgram, stale: Iterable[Path]) -> Program:
    if not planned.reads:
        return planned.program
    digest = "(new)" if set(planned.reads) & set(stale) else _digest_of(planned.reads, planned.revision)
    return replace(planned.program, env={**planned.program.env, DIGEST_VARIABLE: digest})


def _digest_of(paths: Iterable[Path], revision: str = "") -> str:
    digest = hashlib.sha256(revision.encode())
    for path in paths:
        digest.update(path.read_bytes() if path.exists() else ABSENT.encode())
        digest.update(b"\0")
    return digest.hexdigest()[:DIGEST_LENGTH]
