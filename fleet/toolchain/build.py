"""One group's `go build`, with a count of the packages that were compiled."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fleet.errors import ToolchainError
from fleet.toolchain.catalogue import Group

ENVIRONMENT = {
    "CGO_ENABLED": "0",  # static
    "GOFLAGS": "-mod=readonly -buildvcs=false",  # go.sum decides, and nothing is added to it
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}
_MODULE = re.compile(r"(?P<module>[\w.\-]+\.[\w.\-]+/[\w.\-/~]+@v[\w.\-+]+)")
_MISMATCH = re.compile(r"checksum mismatch|SECURITY ERROR")
_OFFLINE = re.compile(
    r"40[0-9]|410|50[0-9]|dial tcp|no such host|module lookup disabled|i/o timeout|connection refused"
)
_NO_NETWORK = re.compile(r"module lookup disabled|dial tcp|no such host|i/o timeout|connection refused")
"""Said of an import too, without the module's version: it is then among those that were to be downloaded."""
_DOWNLOAD = re.compile(r"^go: downloading (\S+) (v\S+)$", re.MULTILINE)
TAIL = 15
"""Lines of the compiler's own words that an error repeats."""


@dataclass(frozen=True)
class Downloaded:
    """A module in Go's module cache."""

    named: str
    """As `k8s.io/api@v0.34.4`."""
    folder: Path
    sum: str
    """Its line of go.sum: what is in it."""


@dataclass(frozen=True)
class Compiled:
    """A module of which packages are compiled into a program."""

    name: str
    version: str
    """Empty for one that lies in a folder of ours."""
    folder: Path


class Builder:
    """Runs Go in the folder of one group, with another go.mod than the folder's where one is given."""

    def __init__(self, go: Path, folder: Path, modfile: Path | None = None) -> None:
        self._go = go
        self._folder = folder
        self._modfile = [f"-modfile={modfile}"] if modfile else []

    def packages(self, names: Sequence[str]) -> int:
        """How many packages are compiled when nothing is cached; fetches missing modules."""
        return len(self._run(["list", *self._modfile, "-deps", *names]).split())

    def modules(self, names: Sequence[str]) -> list[Compiled]:
        """The modules of all packages that are compiled, but Go's own; fetches missing ones."""
        words = "{{with .Module}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}"
        lines = {line for line in self._run(["list", "-deps", "-f", words, *names]).splitlines() if line}
        return [Compiled(name, version, Path(place)) for name, version, place in map(_three, sorted(lines))]

    def goroot(self) -> Path:
        """Where Go itself lies."""
        return Path(self._run(["env", "GOROOT"]).strip())

    def module_folder(self, module: str) -> Path:
        """Where the sources of a module of the group lie."""
        return Path(self._run(["list", "-m", "-f", "{{.Dir}}", module]).strip())

    def download(self, module: str) -> Downloaded:
        """Fetch a module that the group requires, unless Go's cache has it; ToolchainError when it does not."""
        words = self._run(["mod", "download", "-json", module])
        found = msgspec.json.decode(words)
        return Downloaded(f"{found['Path']}@{found['Version']}", Path(found["Dir"]), found["Sum"])

    def replace(self, modfile: Path, modules: Mapping[str, Path]) -> None:
        """Have a go.mod take those modules from folders, whatever it took them from."""
        self._run(["mod", "edit", *(f"-replace={name}={folder}" for name, folder in modules.items()), str(modfile)])

    def program(self, out: Path) -> None:
        """Build the package of the folder itself into the file `out`."""
        self._run(["build", "-trimpath", "-o", str(out), "."])

    def build(self, group: Group, package: Sequence[str], out: Path, compiled: Callable[[int], None]) -> None:
        """Build packages into the folder `out`; `compiled` gets the count of packages so far."""
        variables = " ".join(f"-X {name}={value}" for name, value in group.variables.items())
        flags = ["-v", "-trimpath", *self._modfile, "-ldflags", f"-s -w {variables}".strip()]
        command = ["build", *flags, "-o", f"{out}/", *package]
        process = subprocess.Popen(
            [str(self._go), *command],
            cwd=self._folder,
            env={**os.environ, **ENVIRONMENT},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        words: list[str] = []
        count = 0
        try:
            for line in process.stderr or ():
                words.append(line.rstrip())
                if " " not in line.strip():
                    count += 1
                    compiled(count)
            code = process.wait()
        finally:
            if process.poll() is None:  # Ctrl-C, or the caller's progress failed
                process.terminate()
            process.communicate()
        if code != 0:
            raise explain(self._folder, "\n".join(words))

    def _run(self, arguments: Sequence[str]) -> str:
        done = subprocess.run(
            [str(self._go), *arguments],
            cwd=self._folder,
            env={**os.environ, **ENVIRONMENT},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise explain(self._folder, done.stderr)
        return done.stdout


def _three(line: str) -> tuple[str, str, str]:
    name, version, place = line.split("\t")
    return name, version, place


def explain(folder: Path, words: str) -> ToolchainError:
    """What failed and how to fix it, from the compiler's output."""
    tail = "\n".join(line for line in words.strip().split("\n")[-TAIL:])
    found = _MODULE.search(words)
    wanted = [f"{name}@{version}" for name, version in _DOWNLOAD.findall(words)]
    module = found["module"] if found else wanted[0] if len(wanted) == 1 else "a module"
    if _MISMATCH.search(words):
        fix = f"{module} is not what go.sum says: do not use this module proxy (go env GOPROXY)"
    elif (found and _OFFLINE.search(words)) or _NO_NETWORK.search(words):
        fix = (
            f"{module} is not to be had from the module proxy (go env GOPROXY): connect once, use a proxy that has it, "
            "or set fleet_toolchain_dir to programs of your own"
        )
    else:
        fix = "the sources do not compile with this Go: go version"
    return ToolchainError(f"{folder.name}: {fix}\n{tail}")
