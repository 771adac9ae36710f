"""Writes the fleet file: what was built, where it listens, its versions, flags and limits; only when that changed."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from fleet import __version__
from fleet.errors import UsageError
from fleet.host.change import Change
from fleet.host.files import mode_of, private_directory, write_private
from fleet.host.layout import Layout
from fleet.host.records import stored_planes
from fleet.hub.agents import registered
from fleet.hub.components import read_components
from fleet.hub.names import wec_labels
from fleet.spec.fleet_file import ClientLimits, Cluster, Component, FleetFile, Machine, StatusAgent

FILE = "fleet.json"
PRIVATE = 0o600


@dataclass(frozen=True)
class RecordSpec:
    """What the file says beside what the machines' own folders tell."""

    fleet: str
    root: Path
    """The controller's folder of this fleet."""
    machines: tuple[Machine, ...]
    toolchain_digest: str
    versions: Mapping[str, str] = field(default_factory=dict)
    limits: ClientLimits = field(default_factory=ClientLimits)
    wec_nodes: int = 1
    inventory: str = ""
    status_implementation: str = "fleet"
    status_version: str = __version__


def write_record(spec: RecordSpec, *, check: bool = False) -> Change:
    """Write `<root>/fleet.json` when it would say something new; `created` is kept. UsageError for a bad value."""
    path = spec.root / FILE
    old = _read(path)
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    new = describe(spec, created=old.created if old is not None and old.name == spec.fleet else now)
    same = old == new and mode_of(path) == PRIVATE
    if same:
        return Change.none()
    if not check:
        private_directory(spec.root)
        write_private(path, (new.model_dump_json(indent=1) + "\n").encode())
    before = _lines(old) if old is not None else {}
    change = Change.between(before, _lines(new))
    return change if change.changed else Change({str(path): "mode or format"}, {str(path): "0600, as it should be"})


def describe(spec: RecordSpec, *, created: str) -> FleetFile:
    """The fleet file of what the machines hold now."""
    clusters: list[Cluster] = []
    components: list[Component] = []
    for machine in spec.machines:
        if machine.connection != "local":
            raise UsageError(f"machine {machine.name}: only machines with connection local can be recorded")
        layout = Layout(Path(machine.state_dir))
        clusters += _clusters(layout, machine.name)
        components += read_components(layout, machine.name, spec.versions)
    try:
        return FleetFile.model_validate(
            {
                "name": spec.fleet,
                "created": created,
                "inventory": spec.inventory,
                "inventory_sha256": digest_of(Path(spec.inventory)) if spec.inventory else "",
                "toolchain_digest": spec.toolchain_digest,
                "versions": dict(sorted(spec.versions.items())),
                "wec_nodes": spec.wec_nodes,
                "limits": spec.limits,
                "status_agent": StatusAgent.model_validate(
                    {"implementation": spec.status_implementation, "version": spec.status_version}
                ),
                "machines": list(spec.machines),
                "clusters": sorted(clusters, key=lambda c: c.name),
                "components": components,
            }
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UsageError(f"fleet file: {'.'.join(str(p) for p in first['loc'])}: {first['msg']}") from error


def digest_of(inventory: Path) -> str:
    """sha256 over the names and contents of an inventory, a file or a folder; empty when it is neither."""
    if inventory.is_file():
        return hashlib.sha256(inventory.read_bytes()).hexdigest()
    digest = hashlib.sha256()
    files: Sequence[Path] = sorted(p for p in inventory.rglob("*") if p.is_file()) if inventory.is_dir() else []
    for file in files:
        digest.update(f"{file.relative_to(inventory).as_posix()}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest() if files else ""


def _clusters(layout: Layout, machine: str) -> list[Cluster]:
    joined = set(registered(layout))
    return [
        Cluster(
            name=plane.name,
            role=plane.role,
            machine=machine,
            driver=plane.driver,
            server=plane.server,
            kubeconfig=str(layout.kubeconfig(plane.name)),
            labels=wec_labels(plane.name) if plane.name in joined else {},
        )
        for plane in stored_planes(layout)
    ]


def _read(path: Path) -> FleetFile | None:
    """The file there is; None when it is missing or of no use, since it is written anew then."""
    try:
        return FleetFile.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _lines(file: FleetFile) -> dict[str, str]:
    """The file as lines for a diff."""
    lines = {f"limit {name}": str(value) for name, value in file.limits.model_dump().items()}
    lines |= {f"version {name}": value for name, value in file.versions.items()}
    lines |= {f"cluster {c.name}": f"{c.role} {c.driver} {c.server} {c.labels}" for c in file.clusters}
    lines |= {
        f"component {c.program}": f"{c.version} {' '.join(c.argv)} {c.metrics} {c.pprof} {c.tls}"
        for c in file.components
    }
    lines |= {f"machine {m.name}": f"{m.connection} {m.address} {m.state_dir}" for m in file.machines}
    lines["fleet"] = (
        f"{file.name} {file.inventory} {file.inventory_sha256} {file.toolchain_digest} {file.wec_nodes} nodes"
        f" {file.status_agent.implementation} {file.status_agent.version}"
    )
    return lines
