"""One group's `go build`, with a count of the packages that were compiled."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

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


class Builder:
    """Runs Go in the folder of one group."""

    def __init__(self, go: Path, folder: Path) -> None:
        self._go = go
        self._folder = folder

    def packages(self, names: Sequence[str]) -> int:
        """How many packages are compiled when nothing is cached; fetches missing modules."""
        return len(self._run(["list", "-deps", *names]).split())

    def module_folder(self, module: str) -> Path:
        """Where the sources of a module of the group lie."""
        return Path(self._run(["list", "-m", "-f", "{{.Dir}}", module]).strip())

    def build(self, group: Group, package: Sequence[str], out: Path, compiled: Callable[[int], None]) -> None:
        """Build packages into the folder `out`; `compiled` gets the count of packages so far."""
        variables = " ".join(f"-X {name}={value}" for name, value in group.variables.items())
        command = ["build", "-v", "-trimpath", "-ldflags", f"-s -w {variables}".strip(), "-o", f"{out}/", *package]
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
