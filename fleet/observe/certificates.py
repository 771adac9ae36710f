"""Certificates of the fleet that run out while a run goes on: read once, looked at again at each one's end."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography import x509

from fleet.model.fleet_file import FleetFile
from fleet.results.events import CertificateEnded

FOLDERS = ("pki", "clusters", "dense", "agents*", "hub", "link", "simulators")
"""Of a machine's folder: where certificates lie. Data of etcd and of container engines is not walked through."""


@dataclass(frozen=True)
class _Known:
    machine: str
    file: Path
    shown: str
    subject: str
    ends: float
    """Unix time, seconds."""


class Certificates:
    """Blocking: call it in a thread."""

    def __init__(self, fleet: FleetFile) -> None:
        """Reads what this machine holds: certificate files, and those inside the kubeconfigs of the fleet file."""
        self._known = [
            one
            for machine in fleet.machines
            if machine.connection == "local"
            for file in _files(Path(machine.state_dir))
            for one in _read(machine.name, file, str(file.relative_to(machine.state_dir)))
        ]
        for cluster in fleet.clusters:
            self._known += _read(cluster.machine, Path(cluster.kubeconfig), f"kubeconfig of {cluster.name}")

    def look(self) -> list[CertificateEnded]:
        """Those that ended since the last call and were not replaced in their file."""
        now = time.time()
        ended = [one for one in self._known if one.ends <= now]
        if not ended:
            return []
        self._known = [one for one in self._known if one.ends > now]
        found = []
        for file in dict.fromkeys(one.file for one in ended):
            mine = [one for one in ended if one.file == file]
            there = list(_read(mine[0].machine, file, mine[0].shown))
            self._known += [one for one in there if one.ends > now]
            found += [_line(one) for one in mine if one in there]
        return found


def _files(root: Path) -> Iterator[Path]:
    for name in FOLDERS:
        for folder in sorted(root.glob(name)):
            yield from sorted(folder.rglob("*.crt"))


def _read(machine: str, file: Path, shown: str) -> Iterable[_Known]:
    """Of one file; nothing of one that is gone or holds none: whoever needs it says so."""
    try:
        data = file.read_bytes()
        pem = data if file.suffix == ".crt" else _of_kubeconfig(data)
        found = x509.load_pem_x509_certificates(pem)
    except (OSError, ValueError, yaml.YAMLError):
        return
    for one in found:
        yield _Known(machine, file, shown, one.subject.rfc4514_string(), one.not_valid_after_utc.timestamp())


def _of_kubeconfig(data: bytes) -> bytes:
    """Its users' certificates that it holds itself."""
    document = yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    users = document.get("users") or [] if isinstance(document, dict) else []
    texts = [str((entry.get("user") or {}).get("client-certificate-data") or "") for entry in users]
    return b"\n".join(base64.b64decode(text) for text in texts)


def _line(one: _Known) -> CertificateEnded:
    return CertificateEnded(
        ns=time.monotonic_ns(),
        wall=time.time_ns(),
        machine=one.machine,
        file=one.shown,
        subject=one.subject,
        ended_wall=round(one.ends * 1e9),
    )
