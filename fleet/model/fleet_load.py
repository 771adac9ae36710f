"""Finds and loads the fleet file, and refuses one that others can read or change, or that points at foreign servers."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platformdirs import user_state_path

from fleet.errors import SpecError, UnsafeFileError, UsageError
from fleet.model.base import NAME_PATTERN
from fleet.model.build_progress import why_incomplete
from fleet.model.fleet_file import FleetFile
from fleet.model.model_errors import NAME_RULE, FieldPath, Place, nearest, shown, validate

FILE = "fleet.json"
FORMAT = 2
"""The newest format that this release knows."""
SIZE_LIMIT = 64 << 20
"""Bytes. 100 WECs with the flags of all their programs take about 1 MB."""

HIGHEST_PORT = 65535


def state_root(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of all fleets of this user: $FLEET_STATE_DIR, else the user's state folder."""
    given = environ.get("FLEET_STATE_DIR")
    return Path(given).expanduser() if given else user_state_path("fleet")


def known(environ: Mapping[str, str] = os.environ) -> dict[str, Path]:
    """Fleet files under the state folder by the fleet's name, sorted."""
    try:
        folders = sorted(state_root(environ).iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return {folder.name: folder / FILE for folder in folders if (folder / FILE).is_file()}


def find(asked: str | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The fleet file to use: `asked` (a name or a path), $FLEET_FILE, $FLEET_NAME, else the only one there is.

    Raises UsageError that lists the fleets when none or several remain.
    """
    fleets = known(environ)
    if asked:
        return Path(asked) if "/" in asked or asked.endswith(".json") else _named(asked, fleets, "--fleet", environ)
    if environ.get("FLEET_FILE"):
        return Path(environ["FLEET_FILE"]).expanduser()
    if environ.get("FLEET_NAME"):
        return _named(environ["FLEET_NAME"], fleets, "FLEET_NAME", environ)
    if len(fleets) == 1:
        return next(iter(fleets.values()))
    if not fleets:
        raise UsageError(f"there is no fleet under {state_root(environ)}: build one with `fleet up`")
    raise UsageError(f"there are several fleets ({', '.join(fleets)}): choose one with --fleet NAME or FLEET_NAME")


def load(file: Path, *, kubeconfigs: bool = True) -> FleetFile:
    """The fleet of `file`, checked; with `kubeconfigs` also that each can be read by its owner, and by nobody else.

    Raises SpecError that names file, field and how to fix it.
    """
    content = _private_text(file)
    data = _decoded(content, file)

    def place(_: FieldPath) -> Place:
        return file, None

    fleet = validate(FleetFile, data, place)
    _check_machines(fleet, file)
    _check_clusters(fleet, file)
    if kubeconfigs:
        check_kubeconfigs(fleet, file)
    return fleet


def load_built(file: Path, *, kubeconfigs: bool = True) -> FleetFile:
    """`load`, for what needs a complete fleet; UsageError with the reason for one that `site.yml` did not complete."""
    fleet = load(file, kubeconfigs=False)
    if fleet.state != "built":
        raise UsageError(
            f"the fleet {fleet.name} is not complete: {why_incomplete(file.absolute().parent)}. Complete it with"
            f" `fleet up --fleet {fleet.name}`, or take it down with `fleet down --fleet {fleet.name}`"
        )
    if kubeconfigs:
        check_kubeconfigs(fleet, file)
    return fleet


def check_kubeconfigs(fleet: FleetFile, file: Path) -> None:
    """Refuse a kubeconfig that is missing, no plain file, or open to group or others. Its content is `fleet.kube`'s."""
    for index, cluster in enumerate(fleet.clusters):
        path = Path(cluster.kubeconfig)
        try:
            info = path.stat()
        except OSError as error:
            reason = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
            raise SpecError(
                f"{path} (cluster {cluster.name}) {reason}: build it again with `fleet up`",
                file=file,
                field=f"clusters.{index}.kubeconfig",
            ) from error
        # Of an existing cluster it is the user's own file, under other rules (fleet.kube.user_kubeconfig).
        problem = _privacy(path, info) if cluster.built else ""
        if problem:
            raise SpecError(
                f"{path} (cluster {cluster.name}) {problem}", file=file, field=f"clusters.{index}.kubeconfig"
            )


def _named(name: str, fleets: Mapping[str, Path], what: str, environ: Mapping[str, str]) -> Path:
    if not re.fullmatch(NAME_PATTERN, name):
        raise UsageError(f"{what}: {shown(name)} is not a name: {NAME_RULE}")
    if name not in fleets:
        raise UsageError(f"{what}: there is no fleet {name!r} under {state_root(environ)}{nearest(name, fleets)}")
    return fleets[name]


def _privacy(path: Path, info: os.stat_result) -> str:
    """What is wrong with the owner or mode of a file that must be private, and how to fix it; empty when nothing is."""
    mode = stat.S_IMODE(info.st_mode)
    if not stat.S_ISREG(info.st_mode):
        return "is not a plain file"
    if info.st_uid != os.geteuid():
        return f"belongs to uid {info.st_uid}, not to you (uid {os.geteuid()}): use a fleet of your own"
    if mode & 0o077:
        return f"can be read or written by others (mode {mode:04o}): chmod 600 {path}"
    return ""


def _private_text(file: Path) -> str:
    """The file's text, through one descriptor so that what was checked is what is read; never through a symlink."""
    folder = file.absolute().parent
    try:
        if folder.is_symlink():
            raise UnsafeFileError(f"its folder {folder} is a symbolic link: give the real folder", file=file)
        around = folder.stat()
        if around.st_mode & 0o022 and not around.st_mode & stat.S_ISVTX:
            raise UnsafeFileError(f"others can write into its folder: chmod 700 {folder}", file=file)
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if file.is_symlink():
            raise UnsafeFileError("is a symbolic link: give the fleet file itself", file=file) from error
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            raise SpecError("does not exist: build the fleet with `fleet up`, or name another", file=file) from error
        raise SpecError(f"cannot be read: {error.strerror}", file=file) from error
    with os.fdopen(handle, "rb") as stream:
        if problem := _privacy(file, os.fstat(stream.fileno())):
            raise UnsafeFileError(problem, file=file)
        content = stream.read(SIZE_LIMIT + 1)
    if len(content) > SIZE_LIMIT:
        raise SpecError(f"is larger than {SIZE_LIMIT} bytes: this is no fleet file", file=file)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise SpecError("is not UTF-8: this is no fleet file", file=file) from error


def _decoded(text: str, file: Path) -> Mapping[str, Any]:
    """The JSON object, of a format that this release knows."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(items)
        if len(values) != len(items):
            names = [name for name, _ in items]
            doubled = next(name for name in names if names.count(name) > 1)
            raise SpecError("is given twice: build the fleet file again with `fleet up`", file=file, field=doubled)
        return values

    try:
        data = json.loads(text, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        raise SpecError(
            f"is not JSON ({error.msg}): `fleet up` writes it again", file=file, line=error.lineno
        ) from error
    except RecursionError as error:
        raise SpecError("is nested too deeply: this is no fleet file", file=file) from error
    if not isinstance(data, dict):
        raise SpecError("is not a fleet file (a JSON object)", file=file)
    version = data.get("format")
    if isinstance(version, int) and version > FORMAT:
        raise SpecError(
            f"was written by a newer release (this one knows up to {FORMAT}): update this program",
            file=file,
            field="format",
        )
    return data


def _check_machines(fleet: FleetFile, file: Path) -> None:
    seen: dict[str, int] = {}
    reached: dict[tuple[str, int], str] = {}
    for index, machine in enumerate(fleet.machines):
        field = f"machines.{index}"
        if machine.name in seen:
            raise SpecError(
                f"{machine.name} is also machines.{seen[machine.name]}: names are unique",
                file=file,
                field=f"{field}.name",
            )
        seen[machine.name] = index
        if not 1 <= machine.port <= HIGHEST_PORT:
            raise SpecError(f"{machine.port} is not a port (1 to 65535)", file=file, field=f"{field}.port")
        if machine.connection == "ssh":
            other = reached.setdefault((machine.address, machine.port), machine.name)
            if other != machine.name:
                raise SpecError(
                    f"{machine.address}:{machine.port} is machine {other} too: list a machine once",
                    file=file,
                    field=f"{field}.address",
                )
        if not Path(machine.state_dir).is_absolute():
            raise SpecError(f"{shown(machine.state_dir)} is not absolute", file=file, field=f"{field}.state_dir")


def _check_clusters(fleet: FleetFile, file: Path) -> None:
    names: dict[str, int] = {}
    servers: dict[tuple[str, int], str] = {}
    machines = {machine.name: machine for machine in fleet.machines}
    addresses = {machine.address for machine in fleet.machines}
    for index, cluster in enumerate(fleet.clusters):
        field = f"clusters.{index}"
        if cluster.name in names:
            raise SpecError(
                f"{cluster.name} is also clusters.{names[cluster.name]}: names are unique",
                file=file,
                field=f"{field}.name",
            )
        names[cluster.name] = index
        if cluster.machine not in machines:
            raise SpecError(
                f"there is no machine {cluster.machine!r}{nearest(cluster.machine, machines)}",
                file=file,
                field=f"{field}.machine",
            )
        if not cluster.built:
            continue  # wherever the user's kubeconfig says; a hub's clusters may be one
        address = _server(cluster.server, addresses, file, f"{field}.server")
        other = servers.setdefault(address, cluster.name)
        if other != cluster.name:
            raise SpecError(
                f"{cluster.name} and {other} are both at {cluster.server}: each control plane has a port of its own",
                file=file,
                field=f"{field}.server",
            )


def _server(server: str, addresses: set[str], file: Path, field: str) -> tuple[str, int]:
    """Host and port of an API server that this program may load: loopback, or a machine of the fleet."""
    try:
        url = urlsplit(server)
        host, port = url.hostname, url.port
    except ValueError:
        host = port = None
    if (
        host is None
        or port is None
        or url.scheme != "https"
        or url.username
        or url.path.strip("/")
        or url.query
        or port < 1
    ):
        raise SpecError(f"{shown(server)} is not https://address:port (port 1 to 65535)", file=file, field=field)
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback and host not in addresses:
        raise SpecError(
            f"{host} is neither loopback nor a machine of this fleet: add the machine to the inventory if it is yours",
            file=file,
            field=field,
        )
    return host, port
