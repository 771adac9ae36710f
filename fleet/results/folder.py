"""The run folder on disk: made once, never overwritten, each file replaced whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from fleet.errors import MeasurementError, UsageError
from fleet.model.checksum import sha256_of
from fleet.results.eventlog import EventLog, EventReading, read_events
from fleet.results.events import FORMAT
from fleet.results.run import RunRecord, load_run
from fleet.model.base import NAME_PATTERN

EVENTS = "events.jsonl"
RUN = "run.json"
MANIFEST = "MANIFEST.sha256"
PROFILES = "profiles"
"""A folder inside it that is sealed too: `profiles/<program>/<kind>-<UTC>.pb.gz`."""
RAW = "raw"
"""Another: what programs alongside the driver measured, `raw/<name>`, read by the experiment's own analysis."""
PPROF = "pprof"
"""Another: profiles of programs that the experiment itself has started, `pprof/<name>`."""

Content = bytes | Callable[[BinaryIO], None]
"""Of a file: itself, or what writes it, for one with a row per sample, which is never whole in memory."""

_FOLDER = re.compile(r"^\d{8}T\d{6}Z-[0-9a-f]{8}$")
_PLAIN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}"
_FILE = re.compile(rf"^(?:{PROFILES}/{_PLAIN}/|{RAW}/|{PPROF}/)?{_PLAIN}$")


@dataclass(frozen=True)
class RunFolder:
    """One run's folder; `path` is absolute."""

    path: Path

    @classmethod
    def create(cls, results_root: Path, experiment: str, started: datetime) -> RunFolder:
        """Make `<results_root>/<experiment>/<UTC>-<8 hex>/`, empty; UsageError for a bad name or a symlinked parent."""
        if not re.match(NAME_PATTERN, experiment):
            raise UsageError(f"experiment name {experiment!r}: lower case letters, digits and '-', at most 40")
        parent = results_root.absolute() / experiment
        if parent.is_symlink():
            raise UsageError(f"{parent}: is a symbolic link; name a real folder")
        stamp = started.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        try:
            parent.mkdir(parents=True, exist_ok=True)
            path = parent / f"{stamp}-{secrets.token_hex(4)}"
            path.mkdir()
        except OSError as error:
            raise UsageError(f"{parent}: {error.strerror}; choose a results folder that can be written") from error
        return cls(path)

    @staticmethod
    def check_root(results_root: Path) -> None:
        """UsageError when run folders cannot be made below `results_root`; makes nothing."""
        root = results_root.absolute()
        try:
            nearest = next(path for path in (root, *root.parents) if path.exists())
        except OSError as error:
            raise UsageError(f"{root}: {error.strerror}; choose another results folder") from error
        if not nearest.is_dir():
            raise UsageError(f"{nearest}: is not a folder; choose another results folder")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise UsageError(f"{nearest}: cannot be written; choose another results folder")

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """An existing run folder; UsageError when it is missing, a symlink, another user's, or no run folder."""
        path = path.absolute()
        try:
            found = path.lstat()
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}; name a run folder") from error
        if stat.S_ISLNK(found.st_mode):
            raise UsageError(f"{path}: is a symbolic link; name the run folder itself")
        if not stat.S_ISDIR(found.st_mode):
            raise UsageError(f"{path}: is not a folder; name the run folder, not a file in it")
        if found.st_uid != os.geteuid():
            raise UsageError(f"{path}: belongs to another user; copy it first")
        if not (path / RUN).is_file():
            raise UsageError(f"{path}: has no {RUN}; it is not a run folder")
        return cls(path)

    @property
    def id(self) -> str:
        """`<UTC>-<8 hex>`, unique per run."""
        return self.path.name

    def file(self, name: str) -> Path:
        """The path of one of its files; UsageError for a name that could leave the folder."""
        if not _FILE.match(name):
            raise UsageError(f"{name!r} is not a file name of a run folder")
        return self.path / name

    def write(self, name: str, data: Content) -> Path:
        """Replace one file whole: temporary file, fsync, rename. MeasurementError when the disk refuses."""
        self.write_all({name: data})
        return self.file(name)

    def write_all(self, files: Mapping[str, Content]) -> None:
        """The same of several: none is replaced before all are there. MeasurementError when the disk refuses."""
        targets = {name: self.file(name) for name in files}
        partials = {name: path.with_name(f".{path.name}.{os.getpid()}.partial") for name, path in targets.items()}
        name = ""
        try:
            for name, data in files.items():
                targets[name].parent.mkdir(exist_ok=True)
                self._write_partial(partials[name], data)
            for name, target in targets.items():
                partials[name].rename(target)
                self._sync(target.parent)
        except OSError as error:
            text = f"{targets[name]}: {error.strerror}; the former file, if any, is untouched"
            raise MeasurementError(text) from error
        finally:
            for partial in partials.values():
                with contextlib.suppress(OSError):
                    partial.unlink()

    def raw(self, name: str) -> Path:
        """Where another program writes its own measurements of this run; the folder exists. UsageError for a name that
        could leave it."""
        target = self.file(f"{RAW}/{name}")
        try:
            target.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise MeasurementError(f"{target.parent}: {error.strerror}") from error
        return target

    def write_run(self, record: RunRecord) -> Path:
        """Replace `run.json`."""
        return self.write(RUN, record.model_dump_json(indent=2).encode() + b"\n")

    def read_run(self) -> RunRecord:
        """The parsed `run.json`; UsageError when it is damaged or of a newer format."""
        return load_run(self.file(RUN))

    def event_log(self) -> EventLog:
        """The writer of `events.jsonl`."""
        return EventLog(self.file(EVENTS))

    def events(self, written: int = FORMAT) -> EventReading:
        """One reading of `events.jsonl`, or of `events.jsonl.gz` in a run that was put away; `written` is the format that
        `run.json` says."""
        return read_events(self.log, written)

    @property
    def log(self) -> Path:
        """`events.jsonl`, or `events.jsonl.gz` in a run that was put away."""
        plain, packed = self.file(EVENTS), self.file(f"{EVENTS}.gz")
        return packed if packed.is_file() and not plain.exists() else plain

    def seal(self) -> Path:
        """Write `MANIFEST.sha256` over every other file, in the form that `sha256sum -c` reads."""
        lines = [f"{sha256_of(path)}  {path.relative_to(self.path).as_posix()}\n" for path in self._members()]
        return self.write(MANIFEST, "".join(lines).encode())

    def modified(self) -> list[str]:
        """Names of files that are no longer what the manifest says; empty also when there is no manifest yet."""
        try:
            lines = self.file(MANIFEST).read_text().splitlines()
        except FileNotFoundError:
            return []
        wrong = []
        for line in lines:
            digest, _, name = line.partition("  ")
            path = self.file(name)
            if not path.is_file() or path.is_symlink() or sha256_of(path) != digest:
                wrong.append(name)
        return sorted(wrong)

    def _members(self) -> list[Path]:
        below = (f"{PROFILES}/*/*.pb.gz", f"{RAW}/*", f"{PPROF}/*")
        every = [*self.path.iterdir(), *(path for pattern in below for path in self.path.glob(pattern))]
        return sorted(
            path
            for path in every
            if path.is_file() and not path.is_symlink() and path.name != MANIFEST and not path.name.startswith(".")
        )

    def _write_partial(self, partial: Path, data: Content) -> None:
        fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        with os.fdopen(fd, "wb") as file:
            if isinstance(data, bytes):
                file.write(data)
            else:
                data(file)
            file.flush()
            os.fsync(file.fileno())

    def _sync(self, folder: Path) -> None:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def newest(results_root: Path, experiment: str | None = None) -> RunFolder:
    """The run folder started last, of one experiment or of any; UsageError when there is none."""
    root = results_root.absolute()
    pattern = "*/*" if experiment is None else f"{experiment}/*"
    found = [path for path in root.glob(pattern) if _FOLDER.match(path.name) and (path / RUN).is_file()]
    if not found:
        what = "a run" if experiment is None else f"a run of {experiment}"
        raise UsageError(f"{root}: holds no {what[2:]}; start one with `fleet experiment run`, or name its folder")
    return RunFolder.open(max(found, key=lambda path: path.name))
