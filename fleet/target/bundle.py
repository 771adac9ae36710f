"""Archives for the machines of a fleet, named by their content and made once: Python packages, and the toolchain."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import platform
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import fleet
from fleet.errors import FleetError
from fleet.host.files import private_directory
from fleet.target.packages import Package, needed

COMPLETE = ".complete"
"""The last file of every archive: a folder without it was not unpacked to its end."""
LEVEL = 1
"""Of gzip: the toolchain shrinks to a third in seconds; a higher level takes minutes and saves little."""
PIP_SECONDS = 300.0
BITS = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


@dataclass(frozen=True)
class Interpreter:
    """The Python that a machine has."""

    path: str
    """Absolute, on that machine."""
    version: str
    """`3.11`."""
    machine: str
    """As `platform.machine()` says: x86_64, aarch64."""

    @property
    def like_ours(self) -> bool:
        """Whether packages that are compiled for this Python run there."""
        ours = (f"{sys.version_info[0]}.{sys.version_info[1]}", BITS.get(platform.machine().lower()))
        return ours == (self.version, BITS.get(self.machine.lower()))


@dataclass(frozen=True)
class Bundle:
    """An archive, and the name that its content has."""

    archive: Path
    name: str


Entry = tuple[str, Path | bytes]
"""Path in the archive, and the file or its content."""


def python_bundle(cache: Path, interpreter: Interpreter) -> Bundle:
    """A virtual environment for that interpreter with `fleet` and what it needs, without pip.

    Packages are this environment's own files when they fit that Python, else wheels of the same versions.
    """
    if interpreter.machine.lower() not in BITS:
        raise FleetError(f"machines of type {interpreter.machine} are not supported: x86_64 and aarch64 are")
    packages, own = needed(), sorted(_own_files())
    digest = hashlib.sha256(f"{interpreter}\0{[(p.name, p.version) for p in packages]}".encode())
    for name, path in own:
        digest.update(f"{name}\0".encode() + path.read_bytes())
    label = f"python-{digest.hexdigest()[:16]}"
    archive = cache / "bundles" / f"{label}.tar.gz"
    if not archive.exists():
        with tempfile.TemporaryDirectory() as temporary:
            _write(archive, _environment(interpreter, packages, own, Path(temporary)))
    return Bundle(archive, label)


def toolchain_bundle(cache: Path, group: str, programs: Path, crds: Path, digest: str) -> Bundle:
    """A group's upstream programs and CRDs. Programs that are one file under several names are sent once."""
    label = f"{group}-{hashlib.sha256(digest.encode()).hexdigest()[:16]}"
    archive = cache / "bundles" / f"{label}.tar.gz"
    if not archive.exists():
        entries = [(f"bin/{path.name}", path) for path in sorted(programs.iterdir()) if os.access(path, os.X_OK)]
        entries += [(f"crds/{path.name}", path) for path in sorted(crds.glob("*.yaml"))]
        _write(archive, entries)
    return Bundle(archive, label)


def _environment(
    interpreter: Interpreter, packages: Iterable[Package], own: Iterable[tuple[str, Path]], temporary: Path
) -> Iterator[Entry]:
    """The files of a virtual environment: what `python -m venv --without-pip` would make, with its packages."""
    home = os.path.dirname(interpreter.path)  # noqa: PTH120 - a path of another machine
    yield (
        "pyvenv.cfg",
        f"home = {home}\ninclude-system-site-packages = false\nversion = {interpreter.version}\n".encode(),
    )
    yield "bin/python -> ", interpreter.path.encode()
    site = f"lib/python{interpreter.version}/site-packages"
    if interpreter.like_ours:
        for package in packages:
            for path, name in package.files:
                yield f"{site}/{name}", path
    else:
        _download(interpreter, packages, temporary)
        for path in sorted(temporary.rglob("*")):
            if path.is_file():
                yield f"{site}/{path.relative_to(temporary).as_posix()}", path
    for name, path in own:
        yield f"{site}/{name}", path


def _download(interpreter: Interpreter, packages: Iterable[Package], folder: Path) -> None:
    """Wheels of the same versions for another Python or processor, from the index that pip is set up for."""
    bits = BITS[interpreter.machine.lower()]
    argv = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    argv += ["--only-binary=:all:", "--no-compile", f"--python-version={interpreter.version}", f"--target={folder}"]
    for tag in (f"manylinux_2_28_{bits}", f"manylinux_2_17_{bits}", f"manylinux2014_{bits}"):
        argv.append(f"--platform={tag}")
    argv += [f"{package.name}=={package.version}" for package in packages]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=PIP_SECONDS, check=False)
    if done.returncode:
        raise FleetError(
            f"no Python packages for Python {interpreter.version} on {interpreter.machine}:"
            f" {done.stderr.strip()[-500:]}"
        )


def _own_files() -> Iterator[tuple[str, Path]]:
    """This package's files, as they lie below site-packages."""
    root = Path(fleet.__file__).parent
    for path in root.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"{root.name}/{path.relative_to(root).as_posix()}", path


def _write(archive: Path, entries: Iterable[Entry]) -> None:
    """Write the archive atomically, with the same bytes for the same entries: no names, no times of this machine."""
    private_directory(archive.parent)
    temporary = archive.with_name(f".{archive.name}.{os.getpid()}")
    seen: dict[tuple[int, int], str] = {}
    try:
        with (
            temporary.open("wb") as raw,
            gzip.GzipFile("", "wb", LEVEL, raw, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w") as tar,
        ):
            for name, content in [*entries, (COMPLETE, b"")]:
                _add(tar, name, content, seen)
        temporary.replace(archive)
    finally:
        temporary.unlink(missing_ok=True)


def _add(tar: tarfile.TarFile, name: str, content: Path | bytes, seen: dict[tuple[int, int], str]) -> None:
    info = tarfile.TarInfo(name.removesuffix(" -> "))
    info.mode, info.mtime = 0o600, 1
    if name.endswith(" -> "):
        info.type, info.linkname = tarfile.SYMTYPE, bytes(content).decode() if isinstance(content, bytes) else ""
        tar.addfile(info)
        return
    if isinstance(content, bytes):
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
        return
    status = content.stat()
    info.mode = 0o700 if status.st_mode & 0o100 else 0o600
    key = (status.st_dev, status.st_ino)
    if status.st_nlink > 1 and key in seen:
        info.type, info.linkname = tarfile.LNKTYPE, seen[key]
        tar.addfile(info)
        return
    seen[key] = info.name
    info.size = status.st_size
    with content.open("rb") as stream:
        tar.addfile(info, stream)
