"""Writes the fleet file: what was built, where it listens, its versions, flags and limits; only when that changed."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fleet.errors import UsageError
from fleet.host.change import Change
from fleet.host.drivers.driver import driver_kind
from fleet.host.files import mode_of, private_directory, remove_tree, same_private, write_private
from fleet.host.layout import Layout
from fleet.install.program_parts import AGENT_ENV
from fleet.inventory.existing import existing_clusters
from fleet.inventory.inspection import Inspection, inspect
from fleet.managers.installer import Found, installer
from fleet.model import build_progress
from fleet.model.checksum import sha256_of
from fleet.model.fleet_file import WEC, BringUp, Cluster, FleetFile, Machine, ManagerOf, PlatformOf
from fleet.model.variables import Variables
from fleet.platforms.platform import chosen_wecs, platform
from fleet.simulators.simulator import simulator

FILE = "fleet.json"
HELD = ("experiment.lock", "experiment.holder", build_progress.FILE, build_progress.LOCK)
"""What experiments (fleet.experiment.hold) and `site.yml` leave alongside it."""
KUBECONFIGS = "kubeconfigs"
"""Below the controller's folder: the admin kubeconfigs of control planes on other machines."""
PRIVATE = 0o600


@dataclass(frozen=True)
class RecordSpec:
    """What the file says alongside what the machines' own folders hold."""

    fleet: str
    root: Path
    """The controller's folder of this fleet."""
    machines: tuple[Machine, ...]
    """All of the inventory, also those that did not answer."""
    toolchain_digest: str
    versions: Mapping[str, str] = field(default_factory=dict)
    inventory: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)
    """Those of the inventory that are alike on all machines."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """Those that `-e` has set since the fleet exists."""
    found: tuple[Inspection, ...] = ()
    """What the machines that answered reported; one with connection local may be left out."""


def begin_record(spec: RecordSpec, *, check: bool = False) -> Change:
    """Write that the fleet is being built, with what it shall be and with what it was known to have.

    It exists from then on, however `site.yml` ends. UsageError for a bad value.
    """
    path = spec.root / FILE
    old, created = _known(path, spec)
    parts = [] if old is None else [Inspection(machine="", clusters=_built(old), components=old.components)]
    new = describe(spec, parts, created=created, state="building")
    new = new.model_copy(update={"bring_up": _begun(old, spec.root)})
    if old is not None and not spec.toolchain_digest:
        # Which programs these will be is not known yet: what they were stays.
        kept: dict[str, Any] = {"toolchain_digest": old.toolchain_digest, "versions": old.versions}
        kept |= {"manager": old.manager} if old.manager.name == new.manager.name else {}
        versions = {one.name: one.version for one in old.platforms}
        kept["platforms"] = tuple(
            one.model_copy(update={"version": versions.get(one.name, one.version)}) for one in new.platforms
        )
        new = new.model_copy(update=kept)
    return _write(path, old, new, check=check)


def write_record(spec: RecordSpec, *, check: bool = False) -> Change:
    """Write `<root>/fleet.json` when it would say something new; `created` is kept. UsageError for a bad value."""
    path = spec.root / FILE
    old, created = _known(path, spec)
    new = describe(spec, _parts(spec, old), created=created)
    new = new.model_copy(update={"bring_up": _built_in(old, len(new.wecs()), check=check)})
    keys = _keep_kubeconfigs(spec, new, check=check)
    return Change.merge([_write(path, old, new, check=check), keys])


def _known(path: Path, spec: RecordSpec) -> tuple[FleetFile | None, str]:
    """What was recorded of this fleet, and since when it exists."""
    old = _read(path)
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (old, old.created) if old is not None and old.name == spec.fleet else (None, now)


def _begun(old: FleetFile | None, root: Path) -> BringUp | None:
    """A fleet that there was before is not built from nothing; one that was not completed has no time any more.

    One `site.yml` begins twice where it sends Python to a machine: it holds the lock of the build since the first.
    """
    if old is None:
        return BringUp(began=datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"))
    whole = old.bring_up is not None and old.bring_up.seconds is not None
    return old.bring_up if whole or build_progress.is_held(root / build_progress.LOCK) else None


def _built_in(old: FleetFile | None, wecs: int, *, check: bool) -> BringUp | None:
    """The time of a bring-up that ends now; that of an earlier one stays."""
    begun = old.bring_up if old is not None else None
    if begun is None or begun.seconds is not None or check:
        return begun
    took = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(begun.began)
    return begun.model_copy(update={"seconds": round(took.total_seconds(), 3), "wecs": wecs})


def _write(path: Path, old: FleetFile | None, new: FleetFile, *, check: bool) -> Change:
    """Whether it is complete, and since when, is not a change: each `site.yml` says it twice."""
    private = old is not None and mode_of(path) == PRIVATE
    if private and old == new:
        return Change.none()
    if not check:
        private_directory(path.parent)
        write_private(path, (new.model_dump_json(indent=1) + "\n").encode())
    change = Change.between(_lines(old) if old is not None else {}, _lines(new))
    same = old is not None and old.model_copy(update={"state": new.state, "bring_up": new.bring_up}) == new
    if not change.changed and not (same and private):
        return Change({str(path): "mode or format"}, {str(path): "0600, as it should be"})
    return change


def describe(spec: RecordSpec, parts: Sequence[Inspection], *, created: str, state: str = "built") -> FleetFile:
    """The fleet file of what the machines hold, and of what exists without them."""
    built = [_at(cluster, spec) for part in parts for cluster in part.clusters]
    there = _existing(spec)
    if built and there:
        raise UsageError(
            f"this fleet has built {built[0].name}, and would now take clusters that exist already: take it down first"
            " (`fleet down`), or give the other a fleet_name of its own"
        )
    clusters = [*built, *there]
    components = [component for part in parts for component in part.components]
    variables = Variables.model_validate(dict(spec.variables))
    chosen = installer(variables.manager)
    manager = chosen.record(variables, spec.versions, Found(clusters, components))
    _check_roles(there, manager)
    try:
        return FleetFile.model_validate(
            {
                "name": spec.fleet,
                "created": created,
                "inventory": spec.inventory,
                "inventory_sha256": digest_of(Path(spec.inventory)) if spec.inventory else "",
                "state": state,
                "variables": dict(sorted(spec.variables.items())),
                "given": dict(sorted(spec.given.items())),
                "toolchain_digest": spec.toolchain_digest,
                "versions": dict(sorted(spec.versions.items())),
                "wec_nodes": variables.wec_nodes,
                "node_simulator": variables.node_simulator,
                "wec_hollow_nodes": variables.wec_hollow_nodes,
                "wec_differs": "" if there else _wec_differs(variables),
                "node_load": _node_load(variables, there),
                "manager": manager,
                "platforms": _platforms(variables, spec.versions, clusters),
                "limits": {name: getattr(variables, name) for name in chosen.limits},
                "machines": list(spec.machines),
                "clusters": sorted(clusters, key=lambda c: c.name),
                "components": components,
            }
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UsageError(f"fleet file: {'.'.join(str(p) for p in first['loc'])}: {first['msg']}") from error


def _platforms(variables: Variables, versions: Mapping[str, str], clusters: Sequence[Cluster]) -> list[PlatformOf]:
    """Those of the fleet, each in the WECs that there are of those that shall have it."""
    there = {cluster.name for cluster in clusters}
    wecs = tuple(wec for wec in chosen_wecs(variables) if wec in there)
    return [
        PlatformOf(
            name=name,
            version=versions.get(platform(name).versioned_by, ""),
            wecs=wecs,
            components=tuple(platform(name).components),
        )
        for name in variables.platform
    ]


def _wec_differs(variables: Variables) -> str:
    """Of the control planes, and of what runs alongside each."""
    shared = variables.programs_shared
    beside = f"simulators and agents {'of many in one process' if shared else 'in a process each'}"
    user = installer(variables.manager).agents_env(variables)
    if user is not None and not shared:
        beside += f", agents with {' and '.join(f'{name}={value}' for name, value in {**AGENT_ENV, **user}.items())}"
    planes = driver_kind(variables.control_plane_driver).differs(variables)
    return f"{planes}; {beside}" if planes else beside


def _node_load(variables: Variables, there: Sequence[Cluster]) -> str:
    """Of the nodes of clusters that exist already nobody knows more than that they are their own."""
    if there:
        return "nodes are the clusters' own"
    return simulator(variables.node_simulator).load if variables.wec_nodes else simulator("none").load


def _existing(spec: RecordSpec) -> list[Cluster]:
    nearest = sorted(spec.machines, key=lambda machine: machine.connection != "local")
    return existing_clusters(spec.variables, nearest[0].name if nearest else "")


def _check_roles(there: Sequence[Cluster], manager: ManagerOf) -> None:
    """UsageError unless the hub that exists has what the manager needs, and nothing else."""
    wanted = {role for role in (manager.source, manager.transport) if role}
    roles = {cluster.role for cluster in there} - {WEC}
    if there and roles != wanted:
        raise UsageError(
            f"existing_hub: {manager.name} has clusters of the roles {', '.join(sorted(wanted)) or 'none'}, not"
            f" {', '.join(sorted(roles)) or 'none'}"
        )


def _built(file: FleetFile) -> list[Cluster]:
    return [cluster for cluster in file.clusters if cluster.built]


def digest_of(inventory: Path) -> str:
    """sha256 over the names and contents of an inventory, a file or a folder; empty when it is neither."""
    if inventory.is_file():
        return sha256_of(inventory)
    digest = hashlib.sha256()
    files: Sequence[Path] = sorted(p for p in inventory.rglob("*") if p.is_file()) if inventory.is_dir() else []
    for file in files:
        digest.update(f"{file.relative_to(inventory).as_posix()}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest() if files else ""


def _parts(spec: RecordSpec, old: FleetFile | None) -> list[Inspection]:
    """Each machine's part: as it was read there now, else what was known of it."""
    given = {found.machine: found for found in spec.found}
    parts = []
    for machine in spec.machines:
        if machine.name in given:
            parts.append(given[machine.name])
        elif machine.connection == "local":
            parts.append(inspect(Layout(Path(machine.state_dir)), machine.name, spec.versions, secrets=False))
        elif old is not None:
            clusters = [cluster for cluster in old.clusters if cluster.machine == machine.name]
            components = [component for component in old.components if component.machine == machine.name]
            parts.append(Inspection(machine=machine.name, clusters=clusters, components=components))
    taken = {cluster.name for found in spec.found for cluster in found.clusters}
    return [
        part
        if part.machine in given
        else part.model_copy(update={"clusters": [c for c in part.clusters if c.name not in taken]})
        for part in parts
    ]


def _at(cluster: Cluster, spec: RecordSpec) -> Cluster:
    """The cluster with the path of its kubeconfig on the controller."""
    remote = {machine.name for machine in spec.machines if machine.connection == "ssh"}
    if cluster.machine not in remote:
        return cluster
    return cluster.model_copy(update={"kubeconfig": str(_kubeconfig(spec.root, cluster.name))})


def _kubeconfig(root: Path, cluster: str) -> Path:
    return root / KUBECONFIGS / cluster


def _keep_kubeconfigs(spec: RecordSpec, file: FleetFile, *, check: bool) -> Change:
    """Write those that other machines returned, and remove those of clusters that are no more."""
    folder = spec.root / KUBECONFIGS
    told = {name: text for found in spec.found for name, text in found.kubeconfigs.items()}
    wanted = {cluster.name for cluster in file.clusters if Path(cluster.kubeconfig).parent == folder}
    new = [n for n in sorted(wanted & told.keys()) if not same_private(_kubeconfig(spec.root, n), told[n].encode())]
    gone = sorted(path for path in folder.glob("*") if path.name not in wanted)
    if not check and wanted:
        private_directory(spec.root)
        private_directory(folder)
        for name in new:
            write_private(_kubeconfig(spec.root, name), told[name].encode())
    if not check:
        for path in gone:
            path.unlink()
    return Change({f"kubeconfig {path.name}": "kept" for path in gone}, {f"kubeconfig {n}": "written" for n in new})


def forget(root: Path, *, check: bool = False) -> Change:
    """Remove the record and the kubeconfigs alongside it, and their folder when nothing else is in it; absent is
    fine."""
    files, folder = [root / name for name in (FILE, *HELD)], root / KUBECONFIGS
    there = {str(each): "kept" for each in (*files, folder) if each.exists()}
    if not check and there:
        for file in files:
            file.unlink(missing_ok=True)
        remove_tree(folder)
        if not any(root.iterdir()):
            root.rmdir()
    return Change(there, {})


def _read(path: Path) -> FleetFile | None:
    """The file there is; None when it is missing or of no use, since it is written again then."""
    try:
        return FleetFile.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _lines(file: FleetFile) -> dict[str, str]:
    """The file as lines for a diff."""
    lines = {f"limit {name}": str(value) for name, value in file.limits.items()}
    lines |= {f"variable {name}": str(value) for name, value in file.variables.items() if name not in file.limits}
    lines |= {f"platform {p.name}": str(p) for p in file.platforms}
    lines |= {f"version {name}": value for name, value in file.versions.items()}
    lines |= {f"cluster {c.name}": f"{c.role} {c.driver} {c.server} {c.context} {c.labels}" for c in file.clusters}
    lines |= {
        f"component {c.program}": f"{c.version} {' '.join(c.argv)} {c.metrics} {c.pprof} {c.tls}"
        for c in file.components
    }
    lines |= {f"machine {m.name}": f"{m.connection} {m.address} {m.state_dir} {m.variables}" for m in file.machines}
    lines |= {f"link of {m.name}": str(m.wan) for m in file.machines if m.wan is not None}
    lines["fleet"] = (
        f"{file.name} {file.inventory} {file.inventory_sha256} {file.toolchain_digest} {file.wec_nodes} nodes"
        f" {file.manager}"
    )
    return lines
