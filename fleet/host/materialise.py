"""Write a plan to disk: folders, certificates, kubeconfigs and files, only where something differs; or say what differs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from fleet.host.authority import Pair
from fleet.host.change import Change
from fleet.host.files import DIRECTORY_MODE, mode_of, private_directory, same_private, write_private
from fleet.host.kubeconfig import render_kubeconfig
from fleet.host.machine import Machine
from fleet.host.pki import FleetPki
from fleet.host.plan import Certificate, Kubeconfig, Plan, PlannedProgram
from fleet.host.supervise import Program

ABSENT = "absent"
"""What was absent before has no line there: a diff shows it as added."""
DIGEST_VARIABLE = "FLEET_FILES_SHA256"
"""In the environment of a program: a digest of the files that it reads only when it starts, so that it restarts with them."""


@dataclass(frozen=True)
class Materialised:
    """What changed on disk, and the programs with the digest of their files."""

    change: Change
    programs: tuple[Program, ...]
    changed_paths: frozenset[Path]


def materialise(machine: Machine, plan: Plan, pki: FleetPki | None) -> Materialised:
    """Bring the files of `plan` about; with `machine.check` only tell. `pki` None (only then) means nothing is there yet."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    changed: set[Path] = set()

    def note(path: Path, old: str, new: str) -> None:
        changed.add(path)
        key = f"file {path.relative_to(machine.root)}" if path != machine.root else f"folder {path}"
        if old != ABSENT:
            before[key] = old
        after[key] = new

    for directory in dict.fromkeys((machine.root, machine.layout.clusters, *plan.directories)):
        if not directory.is_dir() or mode_of(directory) != DIRECTORY_MODE:
            note(directory, "mode to repair" if directory.is_dir() else ABSENT, "folder 0700")
            if not machine.check:
                private_directory(directory)
    for certificate in plan.certificates:
        old = "to be renewed" if certificate.cert.exists() else ABSENT
        if _certificate(machine, pki, certificate):
            note(certificate.cert, old, "issued")
    for text in plan.texts:
        data = text.text.encode()
        if not same_private(text.path, data):
            note(
                text.path,
                _digest_of([text.path]) if text.path.exists() else ABSENT,
                hashlib.sha256(data).hexdigest()[:16],
            )
            if not machine.check:
                write_private(text.path, data)
    for kubeconfig in plan.kubeconfigs:
        if _kubeconfig(machine, kubeconfig, changed):
            note(kubeconfig.path, "other" if kubeconfig.path.exists() else ABSENT, f"kubeconfig of {kubeconfig.server}")
    programs = tuple(_with_digest(planned, changed if machine.check else frozenset()) for planned in plan.programs)
    return Materialised(Change.between(before, after), programs, frozenset(changed))


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
        digest.update(path.read_bytes() if path.exists() else bABSENT)
        digest.update(b"\0")
    return digest.hexdigest()[:16]
