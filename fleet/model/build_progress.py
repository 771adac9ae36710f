"""What `site.yml` is doing to a fleet, and where it ended when it did not come through (`build.json`)."""

from __future__ import annotations

import json
import os
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from fleet.model.base import Model

FILE = "build.json"
LOCK = "build.lock"
"""Held by the playbook's process for as long as it lives, however it ends."""
REASON_LIMIT = 2000
"""Characters of a task's failure that are kept."""


class BuildProgress(Model):
    """The task under way, or the one that failed."""

    play: str = ""
    task: str = ""
    host: str = ""
    """Where it failed; empty while nothing has."""
    reason: str = ""
    """Why, in the task's own words."""

    def sentence(self, *, running: bool) -> str:
        """For people."""
        where = f"in the play {self.play!r}, task {self.task!r}" if self.task else "before its first task"
        if self.host:
            return f"site.yml failed {where} on {self.host}: {self.reason}"
        return f"site.yml is under way, {where}" if running else f"site.yml was ended {where}"


class BuildLog:
    """Keeps `build.json` up to date in the fleet's folder on the controller; for the process that plays `site.yml`."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._lock = FileLock(folder / LOCK, timeout=0, mode=0o600)
        self._failed = False

    def open(self) -> bool:
        """Begin; False when another process builds this fleet, whose log it then is."""
        try:
            self._lock.acquire()
        except Timeout:
            return False
        return True

    def task(self, play: str, task: str) -> None:
        """This one begins. The first failure stays: what follows it on other machines does not hide it."""
        if not self._failed:
            self._write(BuildProgress(play=play, task=task))

    def failed(self, play: str, task: str, host: str, reason: str) -> None:
        """This one failed."""
        if not self._failed:
            self._write(BuildProgress(play=play, task=task, host=host, reason=reason.strip()[:REASON_LIMIT]))
        self._failed = True

    def done(self) -> None:
        """The fleet is complete: nothing is left to say."""
        self._file.unlink(missing_ok=True)

    def close(self) -> None:
        """The process ends."""
        self._lock.release()

    def _write(self, progress: BuildProgress) -> None:
        """Whole or not at all, for its owner alone."""
        beside = self._file.with_suffix(".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(progress.model_dump_json())
        beside.replace(self._file)


def why_incomplete(folder: Path) -> str:
    """A sentence about the fleet in `folder`, whose file says that it is being built."""
    try:
        progress = BuildProgress.model_validate(json.loads((folder / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        progress = BuildProgress()
    return progress.sentence(running=is_held(folder / LOCK))


def is_held(file: Path) -> bool:
    """Whether a living process holds this lock file."""
    if not file.exists():
        return False
    lock = FileLock(file, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False
