"""Reads and writes trace files: what is wrong is refused with line and field, what is written is written whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from fleet.errors import SpecError, UsageError
from fleet.model.model_errors import validate
from fleet.model.trace import Header, Pod

SUFFIX = ".trace.jsonl"
LINE_LIMIT = 64 * 1024
"""Bytes; the fields of a pod take a few hundred."""
POD_LIMIT = 2_000_000


@dataclass(frozen=True)
class Trace:
    """A whole file: `pods` ascend by `t`, their keys are unique."""

    header: Header
    pods: tuple[Pod, ...]


def read(file: Path) -> Trace:
    """The trace of a file. SpecError with line and field for one that is damaged, truncated or not a trace."""
    lines = _lines(file)
    first = next(lines, None)
    if first is None:
        raise SpecError("is empty: a trace begins with a header line", file=file, line=1)
    header = validate(Header, _object(first, file, 1), lambda _: (file, 1))
    pods: list[Pod] = []
    keys: set[str] = set()
    last = 0.0
    for number, line in enumerate(lines, start=2):
        if len(pods) == POD_LIMIT:
            raise SpecError(f"has more than {POD_LIMIT} pods: take a part of it", file=file, line=number)
        data = _object(line, file, number)
        pod = validate(Pod, data, lambda _, at=number: (file, at))  # type: ignore[misc]
        if pod.t < last:
            said = f"{pod.t:g} s lies before the line above ({last:g} s): lines must ascend by time"
            raise SpecError(said, file=file, line=number, field="t")
        if pod.key in keys:
            raise SpecError(f"{pod.key!r} is the key of an earlier line too", file=file, line=number, field="key")
        last = pod.t
        keys.add(pod.key)
        pods.append(pod)
    if len(pods) != header.pods:
        said = f"the header says {header.pods} pods, the file has {len(pods)}: it is not whole"
        raise SpecError(said, file=file, line=len(pods) + 1, field="pods")
    return Trace(header, tuple(pods))


def write(file: Path, trace: Trace, *, force: bool = False) -> None:
    """Write it whole, by rename. UsageError when the file exists and `force` is off, or cannot be written."""
    if file.exists() and not force:
        raise UsageError(f"{file} exists: choose another name, or replace it with --force")
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    header = trace.header.model_copy(update={"pods": len(trace.pods)})
    try:
        with partial.open("wb") as stream:
            stream.write(_line(header.model_dump(exclude_defaults=True) | {"format": header.format}))
            for pod in trace.pods:
                stream.write(_line(pod.model_dump(exclude_defaults=True)))
            stream.flush()
            os.fsync(stream.fileno())
        partial.rename(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UsageError(f"{file}: cannot be written: {error.strerror}") from error


def ordered(pods: Sequence[Pod]) -> tuple[Pod, ...]:
    """As a file has them: by time, then by key; times with microseconds."""
    return tuple(sorted(pods, key=lambda pod: (pod.t, pod.key)))


def _line(data: dict[str, Any]) -> bytes:
    ordering = ("format", "t", "key")  # what a person looks for comes first
    first = {name: data[name] for name in ordering if name in data}
    rounded = {name: round(value, 6) if isinstance(value, float) else value for name, value in (first | data).items()}
    return orjson.dumps(rounded) + b"\n"


def _lines(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as stream:
            for number in range(1, POD_LIMIT + 3):
                line = stream.readline(LINE_LIMIT + 1)
                if not line:
                    return
                if len(line) > LINE_LIMIT:
                    raise SpecError(f"is longer than {LINE_LIMIT} bytes", file=file, line=number)
                if not line.endswith(b"\n"):
                    raise SpecError("does not end: the file is cut off here", file=file, line=number)
                yield line
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error


def _object(line: bytes, file: Path, number: int) -> dict[str, Any]:
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise SpecError(f"is not JSON: {error}", file=file, line=number) from error
    if not isinstance(data, dict):
        raise SpecError("must be a JSON object", file=file, line=number)
    return data
