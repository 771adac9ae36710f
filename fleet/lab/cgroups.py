"""One control group per machine, where this host has any that may be written: for its CPU, memory and processes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

CONTROLLERS = frozenset({"cpu", "cpuacct", "memory", "pids", "freezer", "cpuset"})
EMPTY_SECONDS = 10.0
POLL = 0.02
OCTAL_SPACE = "\\040"


@dataclass(frozen=True)
class Hierarchy:
    """One mounted tree of control groups."""

    path: Path
    version: int
    controllers: frozenset[str]

    def group(self, tag: str, machine: str) -> Path:
        """The group of one machine in this tree."""
        return self.path / tag / machine


def hierarchies(mounts: str) -> list[Hierarchy]:
    """The trees in the text of /proc/mounts that measure or limit anything; a v2 tree without controllers does not."""
    found: dict[Path, Hierarchy] = {}
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 4:  # noqa: PLR2004 - device, path, type, options
            continue
        path, kind, options = Path(fields[1].replace(OCTAL_SPACE, " ")), fields[2], fields[3].split(",")
        if kind == "cgroup" and (mine := CONTROLLERS & set(options)):
            found[path] = Hierarchy(path, 1, frozenset(mine))
        elif kind == "cgroup2" and (mine := CONTROLLERS & set(_read(path / "cgroup.controllers").split())):
            found[path] = Hierarchy(path, 2, frozenset(mine))
    return sorted(found.values(), key=lambda tree: str(tree.path))


def create(trees: Iterable[Hierarchy], tag: str, machine: str) -> tuple[list[Path], list[str]]:
    """Make the machine's group in every tree; the folders to join, and sentences about trees that refuse."""
    made, refused = [], []
    for tree in trees:
        group = tree.group(tag, machine)
        try:
            _make(tree, group)
        except OSError as error:
            refused.append(f"no control group in {tree.path} ({error.strerror}): {machine} is not measured there")
            continue
        made.append(group)
    return made, refused


def _make(tree: Hierarchy, group: Path) -> None:
    for folder in (group.parent, group):
        folder.mkdir(exist_ok=True)
        if "cpuset" in tree.controllers and tree.version == 1:
            for name in ("cpuset.cpus", "cpuset.mems"):
                (folder / name).write_text(_read(folder.parent / name), encoding="ascii")
    if tree.version == 2:  # noqa: PLR2004 - the second version
        wanted = " ".join(f"+{name}" for name in sorted(tree.controllers - {"cpuacct", "freezer"}))
        for folder in (tree.path, group.parent):
            (folder / "cgroup.subtree_control").write_text(wanted, encoding="ascii")


def remove(trees: Iterable[Hierarchy], tag: str, machine: str | None = None) -> list[Path]:
    """Remove a machine's groups, or with none given the lab's own; what is not empty and so remains."""
    left = []
    for tree in trees:
        folder = tree.path / tag / machine if machine else tree.path / tag
        end = time.monotonic() + EMPTY_SECONDS
        while folder.is_dir():
            with contextlib.suppress(OSError):
                folder.rmdir()
                break
            if time.monotonic() > end:
                left.append(folder)
                break
            time.sleep(POLL)  # the kernel lets go of a group a moment after its last process
    return left


def usage(trees: Iterable[Hierarchy], tag: str, machine: str) -> tuple[int | None, float | None]:
    """Memory in bytes and CPU time in seconds of one machine so far; None where it is not counted."""
    memory: int | None = None
    cpu: float | None = None
    for tree in trees:
        group = tree.group(tag, machine)
        if text := _read(group / "memory.usage_in_bytes") or _read(group / "memory.current"):
            memory = int(text)
        if text := _read(group / "cpuacct.usage"):
            cpu = int(text) / 1e9
        elif text := _read(group / "cpu.stat"):
            fields = dict(line.split() for line in text.splitlines())
            cpu = int(fields["usage_usec"]) / 1e6 if "usage_usec" in fields else cpu
    return memory, cpu


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
