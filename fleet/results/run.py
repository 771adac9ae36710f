"""`run.json`: what was run, on what, with which versions and limits, and whether to believe it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_serializer, field_validator, model_validator

from fleet.errors import UsageError
from fleet.model.base import Document, Model
from fleet.model.duration import written
from fleet.model.experiment_file import ExperimentFile, RecordedExperiment
from fleet.model.fleet_file import FleetFile
from fleet.model.manager_record import ManagerRecord
from fleet.model.stage import Stage
from fleet.results.format1_manager import MANAGER

FORMAT = 2
"""1: first format (0.1.0). 2: keeps its manager; events.jsonl has its second format."""

Status = Literal["running", "valid", "partial", "invalid"]


class MachineFacts(Model):
    """The machine that drove the run, as far as it can be read there; 0 or empty when it cannot."""

    cpu_model: str = ""
    cores: int = 0
    """Usable by this process."""
    memory_bytes: int = 0
    kernel: str = ""
    python: str = ""
    nofile_soft: int = 0
    nofile_hard: int = 0
    inotify_instances: int = 0
    inotify_watches: int = 0
    pressure: dict[str, float] = Field(default_factory=dict)
    """`cpu`, `io`, `memory`: percent of time some task waited, over the 60 s before it was read (PSI `some avg60`)."""


class ClockInfo(Model):
    """The one clock of the run."""

    implementation: str = ""
    resolution_ns: int = 0
    monotonic_ns: int = 0
    """Reading of the monotonic clock at the start; `wall_ns` is Unix time of the same moment."""
    wall_ns: int = 0


class MachineClock(Model):
    """How another machine's wall clock stood against the driver's at the start. No latency is computed from it."""

    machine: str
    offset_ns: int = 0
    """Theirs minus ours, nanoseconds."""
    error_ns: int = 0
    """The offset is wrong by at most this much: half of the shortest round trip."""
    rounds: int = 0
    problem: str = ""
    """Why it could not be measured; then the numbers mean nothing."""


class DriverFacts(Model):
    """How well the driver itself kept up."""

    loop_lag_p99: float = 0.0
    """Seconds that the event loop was late, at the 99th percentile."""
    loop_lag_max: float = 0.0
    watches: int = 0
    events: int = 0
    """Watch events received."""
    gaps: int = 0
    """Times a watch was blind."""
    relists: int = 0
    dropped: int = 0
    """Events that could not be written."""


EndingKind = Literal["interrupted", "failed", "unwritten"]
"""interrupted: by a signal; failed: a step raised an error; unwritten: events are missing in the log."""


class Ending(Model):
    """What ended a run, or a part of it, before its plan did; only the driver can know it."""

    kind: EndingKind
    text: str
    """The sentence that the verdict gives as a reason."""


_OLD_ENDINGS: dict[str, EndingKind] = {
    "interrupted": "interrupted",
    "ended": "failed",
    "the events could not be written": "unwritten",
}
"""How a reason begins that only the driver could know, in run.json files written before `endings` was."""


class RunRecord(Document):
    """The whole of `run.json`."""

    SCHEMA = "run.schema.json"

    format: Literal[1, 2] = 2
    """Of the whole folder."""
    id: str
    """The folder's name."""
    experiment: str
    started: str
    """RFC 3339, UTC."""
    ended: str | None = None
    status: Status = "running"
    """`running` in a folder that no driver works on means that the driver died, or could not write the end."""
    reasons: list[str] = Field(default_factory=list)
    """Why the status is not valid, most serious first."""
    endings: list[Ending] = Field(default_factory=list)
    """What ended it early, in the order it happened."""
    seed: int = 1
    spec: RecordedExperiment
    """As its file has it, durations with their unit; a report needs no code of the experiment."""
    fleet: FleetFile
    manager: ManagerRecord
    stages: list[Stage] = Field(default_factory=list)
    """Of an experiment with marks of its own; a report needs no code of the experiment."""
    inventory_sha256: str = ""
    version: str = ""
    """Of this project."""
    git: str = ""
    """Commit of this project, `-dirty` appended, empty when unknown."""
    machine: MachineFacts = MachineFacts()
    clock: ClockInfo = ClockInfo()
    clocks: list[MachineClock] = Field(default_factory=list)
    """Of the machines that are reached over SSH."""
    driver: DriverFacts = DriverFacts()
    interrupted: str = ""
    """The signal that ended the run early; empty when none did."""
    notes: list[str] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _read_old_endings(cls, raw: Any) -> Any:
        """A file from before `endings` has them among its reasons."""
        if not isinstance(raw, dict) or "endings" in raw or not isinstance(raw.get("reasons"), list):
            return raw
        found = [
            {"kind": kind, "text": reason}
            for reason in raw["reasons"]
            for begin, kind in _OLD_ENDINGS.items()
            if isinstance(reason, str) and reason.startswith(begin)
        ]
        return {**raw, "endings": found}

    @field_validator("spec", mode="before")
    @classmethod
    def _recorded(cls, value: Any) -> Any:
        return written(value) if isinstance(value, ExperimentFile) else value

    @field_serializer("spec")
    def _written(self, value: RecordedExperiment) -> dict[str, Any]:
        return written(value)

    @model_validator(mode="before")
    @classmethod
    def _first_format(cls, data: Any) -> Any:
        return {"manager": MANAGER, **data} if isinstance(data, Mapping) and data.get("format") == 1 else data

    @property
    def source(self) -> str:
        """The cluster that objects were sent to where nothing else is planned: the first source of the fleet."""
        return next((cluster.name for cluster in self.fleet.sources()), "")

    def with_(self, **changes: Any) -> RunRecord:
        """A checked copy with some fields changed."""
        return RunRecord.model_validate({**self.model_dump(), **changes})


def load_run(path: Path) -> RunRecord:
    """Read a `run.json`; UsageError when it is missing, damaged or written by a newer format."""
    try:
        raw = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path}: is not JSON ({error}); take the folder from its backup") from error
    number = raw.get("format") if isinstance(raw, dict) else None
    if isinstance(number, int) and number > FORMAT:
        raise UsageError(f"{path}: format {number} is newer than this program's {FORMAT}; update the program")
    try:
        return RunRecord.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path}: {field}: {first['msg']}") from error


def without_paths(fleet: FleetFile, home: Path | None = None) -> FleetFile:
    """The fleet file without folders of a user: a published run names none.

    Each machine's own folder becomes `$STATE`, this Python's `$VENV`, the home folder (default: this user's) `~`, and
    of an absolute inventory the last two parts stay.
    """
    inventory = Path(fleet.inventory)
    if inventory.is_absolute():
        fleet = fleet.model_copy(update={"inventory": "/".join(inventory.parts[-2:])})
    folders = {machine.state_dir: "$STATE" for machine in fleet.machines}
    folders |= {str(Path(c.kubeconfig).parent): "$KUBECONFIGS" for c in fleet.clusters if "/kubeconfigs/" in c.kubeconfig}
    # The lab's keys lie in the state folder of whoever made it.
    folders |= {str(Path(m.key_file).parent): "$SSH" for m in fleet.machines if m.key_file}
    folders |= {sys.prefix: "$VENV", str(home or Path.home()): "~"}
    text = fleet.model_dump_json()
    for folder in sorted(folders, key=len, reverse=True):
        text = text.replace(json.dumps(folder)[1:-1], folders[folder])
    return FleetFile.model_validate_json(text)
