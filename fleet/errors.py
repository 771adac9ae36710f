"""The one error tree. Library code raises these; only `fleet.cli` turns them into exit codes.

FleetError                    exit 1   something failed; the message says what, and how to fix it
├── UsageError                exit 2   input from outside is wrong: file, field, flag; nothing was changed
│   └── SpecError             exit 2   a file that a user writes: carries file, line and field
│       └── UnsafeFileError   exit 2   a file that others may have written or can read: nothing alongside it is trusted
├── ThresholdError            exit 3   a threshold or a comparison's verdict failed
├── MeasurementError          exit 4   the measurement is partial or invalid
├── DeadlineError             exit 5   something did not become true in time
├── ToolchainError            exit 1   an upstream program cannot be built, found or trusted
├── HostError                 exit 1   a machine cannot hold or run what it was asked to
│   └── CapacityError         exit 2   refused up front: memory, descriptors, inotify, ports; carries the numbers
└── KubeError                 exit 1   an API server answered with an error, or not at all
"""

from __future__ import annotations

from pathlib import Path


class FleetError(Exception):
    """Base of every error that this project raises on purpose."""

    exit_code = 1


class UsageError(FleetError):
    """Input from outside is wrong; nothing was changed."""

    exit_code = 2


class SpecError(UsageError):
    """A file that a user writes is wrong.

    `field` is the dotted path inside the file, `line` counts from 1; either may be unknown.
    """

    def __init__(
        self,
        message: str,
        *,
        file: Path | str | None = None,
        line: int | None = None,
        field: str | None = None,
    ) -> None:
        self.file = file
        self.line = line
        self.field = field
        place = "" if file is None else f"{file}:" if line is None else f"{file}:{line}:"
        what = "" if field is None else f"{field}:"
        super().__init__(" ".join(part for part in (place, what, message) if part))


class UnsafeFileError(SpecError):
    """A file that others may have written or can read; nothing that it stands alongside may be removed or believed."""


class ThresholdError(FleetError):
    """A threshold of the experiment, or a comparison's verdict, failed."""

    exit_code = 3


class MeasurementError(FleetError):
    """The measurement is partial or invalid."""

    exit_code = 4


class DeadlineError(FleetError):
    """Something did not become true in time."""

    exit_code = 5


class ToolchainError(FleetError):
    """An upstream program cannot be built, found or trusted."""


class HostError(FleetError):
    """A machine cannot run what it was asked to."""


class CapacityError(HostError):
    """Refused up front, before anything was changed: the message carries what is there and what is needed."""

    exit_code = 2


class KubeError(FleetError):
    """An API server answered with an error, or not at all."""

    def __init__(self, message: str, *, cluster: str, status: int | None = None, reason: str = "") -> None:
        self.cluster = cluster
        self.status = status
        self.reason = reason
        super().__init__(f"{cluster}: {message}")
