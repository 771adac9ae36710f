"""The checks of `fleet doctor`: limits and memory, ports, leftovers of dead fleets, disk, toolchain, clock, browser."""

from __future__ import annotations

import re
import shutil
import socket
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from fleet.cli import units
from fleet.cli.findings import Finding
from fleet.errors import FleetError
from fleet.host.daemon import Daemon
from fleet.host.layout import Layout
from fleet.host.limits import Need, Room, measure_room, shortages
from fleet.host.ports import Block, Registry
from fleet.lab.requirements import lacking
from fleet.lab.system import LinuxSystem
from fleet.model import fleet_load

CLOCK_FILE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
SLOW_CLOCKS = ("hpet", "acpi_pm", "jiffies")
"""Clock sources whose reading costs microseconds, which is what an event costs."""
SHARD = 25
DEFAULT_WECS = 4
"""`wec_count` of inventories/localhost."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DISK_WARN = 5 << 30
"""Bytes. A cold toolchain build takes about 4 GB alongside the fleets."""
EARLIEST = 1_735_689_600.0
"""2025-01-01: certificates made under an older clock are refused by Go programs."""


def examine(wecs: int | None) -> list[Finding]:
    """All checks; nothing is changed. `wecs` is the size of a new fleet that should fit alongside those there are.

    None: as many as the default inventory builds where there is no fleet yet, else what is left is only shown.
    """
    root = fleet_load.state_root()
    fleets = _fleets(root)
    if wecs is None:
        wecs = DEFAULT_WECS if not fleets else 0
    findings = _limits(root, wecs)
    findings += fleets or [Finding("fleets", "ok", f"none under {root}")]
    findings += [_ports(root), _disk(root), _toolchain(), *_clock(), _lab(), _frontend()]
    return findings


def _limits(root: Path, wecs: int) -> list[Finding]:
    """What a new fleet of that size would lack, one line each; what is enough is said in one."""
    from fleet.host.drivers.driver import driver_kind
    from fleet.model.variables import Variables
    from fleet.simulators.planned import weight_of

    room = measure_room(root)
    usual = Variables()
    need = Need(
        hub_planes=2 if wecs else 0,
        wecs=wecs,
        driver=usual.control_plane_driver,
        shard_size=SHARD,
        wec=driver_kind(usual.control_plane_driver).weight(usual),
        nodes=weight_of(usual, root, wecs),
    )
    found = []
    for shortage in shortages(need, room):
        text = f"{shortage.needed} needed, {shortage.available} left for {wecs} new WECs"
        found.append(Finding(re.split(r" for | \(| of ", shortage.what)[0], "fail", text, shortage.fix))
    return found or [_plenty(room, wecs)]


def _plenty(room: Room, wecs: int) -> Finding:
    text = f"{units.size(room.memory)} memory, {room.inotify_instances} inotify instances, {room.ports} ports left"
    return Finding("limits", "ok", f"{text}; {wecs} new WECs fit" if wecs else text)


def _fleets(root: Path) -> list[Finding]:
    """Each fleet's folder: alive, built, or left over; empty when there is none."""
    if not root.is_dir():
        return []
    found = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        if not any((folder / mark).exists() for mark in ("fleet.json", "clusters", "supervisor", "pki")):
            continue
        found.append(_fleet(folder))
    return found


def _fleet(folder: Path) -> Finding:
    name, check = folder.name, f"fleet {folder.name}"
    try:
        daemon = Daemon(Layout(folder))
        alive, orphans = daemon.alive(), daemon.orphans()
    except FleetError as error:
        return Finding(check, "warn", str(error))
    if orphans:
        text = f"{len(orphans)} programs have lost their supervisor"
        return Finding(check, "fail", text, f"`fleet up` with its inventory, or `fleet down --fleet {name}`")
    file = folder / fleet_load.FILE
    if not file.exists():
        text = "half-built: it has no fleet file" + ("" if alive else ", and nothing of it runs")
        return Finding(check, "warn", text, f"`fleet up` again, or `fleet down --fleet {name}`")
    try:
        clusters = len(fleet_load.load_built(file).clusters)
    except FleetError as error:
        return Finding(check, "fail", str(error).split("\n", 1)[0], f"`fleet up` again, or `fleet down --fleet {name}`")
    if not alive:
        text = f"{clusters} clusters, but its supervisor does not run"
        return Finding(check, "fail", text, f"`fleet up` starts it again; `fleet down --fleet {name}` removes it")
    return Finding(check, "ok", f"{clusters} clusters, supervised")


def _ports(root: Path) -> Finding:
    """The registry against the fleets there are, and against who listens."""
    try:
        blocks = Registry(root).blocks()
    except FleetError as error:
        return Finding("ports", "fail", str(error))
    lost = sorted({block.fleet for block in blocks if not (root / block.fleet).is_dir()})
    if lost:
        fixes = "; ".join(f"`fleet down --fleet {name}`" for name in lost)
        return Finding("ports", "warn", f"ports are held for fleets that are gone: {', '.join(lost)}", fixes)
    idle = {fleet for fleet in {block.fleet for block in blocks} if _idle(root / fleet)}
    taken = _taken(block for block in blocks if block.fleet in idle)
    if taken:
        text = f"ports of fleets that do not run are used by others: {', '.join(map(str, taken[:5]))}"
        return Finding("ports", "warn", text, "end those programs, or let `fleet up` choose others")
    count = sum(block.count for block in blocks)
    return Finding("ports", "ok", f"{count} registered, none in another's hands")


def _idle(folder: Path) -> bool:
    try:
        return not Daemon(Layout(folder)).alive()
    except FleetError:
        return False  # it hangs: its programs may hold their ports


def _taken(blocks: Iterable[Block]) -> list[int]:
    """Ports of these blocks that something listens on, by trying to connect: binding would be seen by others."""
    found = []
    for block in blocks:
        for port in block.ports:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    found.append(port)
    return found


def _disk(root: Path) -> Finding:
    existing = next(path for path in (root, *root.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    text = f"{units.size(free)} free for {root}"
    if free < DISK_WARN:
        return Finding("disk", "warn", text, "free some, or set FLEET_STATE_DIR to a larger disk")
    return Finding("disk", "ok", text)


def _toolchain() -> Finding:
    from fleet.cli.toolchain import places
    from fleet.model.variables import Variables
    from fleet.toolchain import ToolchainMissing, locate, needs_of

    try:
        found = locate(*places(None), needs_of(Variables()))
    except ToolchainMissing:
        return Finding("toolchain", "warn", "not built yet", "`fleet toolchain build`, about 10 minutes")
    except FleetError as error:
        return Finding("toolchain", "warn", str(error).split("\n", 1)[0], "`fleet toolchain build`")
    return Finding("toolchain", "ok", f"{found.digest[:19]}, {len(found.versions)} programs")


def _lab() -> Finding:
    """Whether `fleet lab` would find its programs; a fleet on this machine alone needs none of them."""
    packages = lacking(LinuxSystem())
    if packages:
        fix = f"apt-get install {' '.join(packages)}"
        return Finding("lab", "ok", f"`fleet lab` would need {', '.join(packages)}", fix)
    return Finding("lab", "ok", "`fleet lab` finds its programs; it needs root")


def _frontend() -> Finding:
    """Whether the experiment `ui-load` would find its programs; nothing else needs them."""
    wanted = {"nodejs": ("node",), "npm": ("npm",), "chromium": BROWSERS}
    packages = [name for name, programs in wanted.items() if not any(map(shutil.which, programs))]
    if packages:
        fix = f"apt-get install {' '.join(packages)}"
        return Finding("ui-load", "ok", f"the experiment `ui-load` would need {', '.join(packages)}", fix)
    return Finding("ui-load", "ok", "the experiment `ui-load` finds Node, npm and a browser")


def _clock() -> list[Finding]:
    """Whether the clock is a real date, and cheap to read."""
    found = []
    if time.time() < EARLIEST:
        found.append(Finding("clock", "fail", f"it is {time.strftime('%Y-%m-%d')} here", "set the clock (chrony)"))
    try:
        source = CLOCK_FILE.read_text(encoding="ascii").strip()
    except OSError:
        source = "unknown"
    boot = units.span(time.time() - psutil.boot_time())
    if source in SLOW_CLOCKS:
        fix = "boot with clocksource=tsc, or take another machine"
        found.append(Finding("clock", "warn", f"the clock source {source} is slow to read", fix))
    elif not found:
        found.append(Finding("clock", "ok", f"source {source}, up for {boot}"))
    return found
