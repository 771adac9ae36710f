"""What an importer is, and what all of them read alike: lines of files, compressed or not, CSV rows, stamps."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Protocol, cast

import orjson

from fleet.errors import SpecError, UsageError
from fleet.model.trace import Clock, Header, Pod
from fleet.trace import quantity
from fleet.trace.file import POD_LIMIT, Trace

LINE_LIMIT = 16 << 20
"""Bytes of one line: an audit line at level RequestResponse holds two whole objects."""
RECORD_LIMIT = 50_000_000
"""Lines of one file: more is refused rather than read for hours."""
MOST = 1e15
"""Of a number in a table."""
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Machine:
    """What a data set's fractions of a machine are of; empty: requests is not known."""

    cpu: str = ""
    memory: str = ""

    def requests(self, cpu: float | None, memory: float | None) -> dict[str, str]:
        """Quantities of so much of this machine."""
        found = {}
        if self.cpu and cpu is not None and cpu > 0:
            found["cpu"] = quantity.text(quantity.parse(self.cpu) * Decimal(repr(cpu)), binary=False)
        if self.memory and memory is not None and memory > 0:
            found["memory"] = quantity.text(quantity.parse(self.memory) * Decimal(repr(memory)), binary=True)
        return found


class Importer(Protocol):
    """One kind of source. Stateless."""

    name: str
    text: str
    """What it reads, in a line of help."""

    def read(self, file: Path, machine: Machine) -> Trace:
        """The trace. SpecError with line (or row) and field for a file that is damaged or something else."""
        ...


@dataclass(frozen=True)
class Told:
    """What a source says alongside its pods."""

    source: str
    clock: Clock
    complete: bool
    untold: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
    began: str = ""
    licence: str = ""
    attribution: str = ""
    clusters: Sequence[str] = ()


def trace(told: Told, pods: Sequence[Pod], span: float, file: Path) -> Trace:
    """The whole trace. SpecError when the source has no pod: that is another file than was meant."""
    if not pods:
        raise SpecError(f"no pod is found in it: is it a file for `{told.source}`?", file=file)
    if len(pods) > POD_LIMIT:
        raise SpecError(f"{len(pods)} pods are more than a trace may hold ({POD_LIMIT}): take a part of it", file=file)
    header = Header(
        source=told.source, pods=len(pods), span=round(max(span, 0.0), 6), clock=told.clock, complete=told.complete,
        untold=dict(told.untold), left_out={why: n for why, n in told.left_out.items() if n}, notes=list(told.notes),
        began=told.began, licence=told.licence, attribution=told.attribution, clusters=list(told.clusters),
    )  # fmt: skip
    return Trace(header, tuple(sorted(pods, key=lambda pod: (pod.t, pod.key))))


def numbered(file: Path) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers from 1, unpacked when the file is compressed by gzip; empty lines are skipped.

    SpecError, with the line, for one that is too long, cut off, or not what gzip says it is.
    """
    number = 0
    try:
        with _opened(file) as stream:
            while line := stream.readline(LINE_LIMIT + 1):
                number += 1
                if len(line) > LINE_LIMIT:
                    raise SpecError(f"is longer than {LINE_LIMIT >> 20} MiB", file=file, line=number)
                if number > RECORD_LIMIT:
                    raise SpecError(f"has more than {RECORD_LIMIT} lines: take a part of it", file=file, line=number)
                if line.strip():
                    yield number, line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SpecError(f"is cut off or damaged: {error}", file=file, line=number + 1) from error
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    with file.open("rb") as stream:
        head = stream.read(2)
        stream.seek(0)
        yield cast("IO[bytes]", gzip.GzipFile(fileobj=stream)) if head == GZIP else stream


def documents(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """JSON objects, one a line, with their line numbers."""
    for number, line in numbered(file):
        try:
            data = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise SpecError(f"is not JSON: {error}", file=file, line=number) from error
        if not isinstance(data, dict):
            raise SpecError("must be a JSON object", file=file, line=number)
        yield number, data


@dataclass(frozen=True)
class Row:
    """One row of a CSV file; a field that is wrong is named with its line."""

    file: Path
    line: int
    values: Mapping[str, str]

    def text(self, name: str) -> str:
        """As it stands there."""
        return self.values[name].strip()

    def number(self, name: str) -> float | None:
        """None for an empty field. SpecError for one that is no number or not finite."""
        value = self.text(name)
        if value in ("", "nan", "NaN"):
            return None
        try:
            found = float(value)
        except ValueError:
            found = float("nan")
        if not abs(found) < MOST:
            raise SpecError(f"{value[:40]!r} is not a number", file=self.file, line=self.line, field=name)
        return found

    def wrong(self, name: str, text: str) -> SpecError:
        """An error about one of its fields."""
        return SpecError(text, file=self.file, line=self.line, field=name)


def rows(file: Path, columns: Sequence[str], *, header: bool) -> Iterator[Row]:
    """Rows with these columns: named by the first line (`header`), or in this order in a file without one."""
    lines = ((number, line.decode("utf-8", "replace")) for number, line in numbered(file))
    names: Sequence[str] = columns
    for number, line in lines:
        values = next(csv.reader([line]))
        if header and names is columns:
            names = tuple(value.strip().lstrip("\ufeff") for value in values)
            missing = [column for column in columns if column not in names]
            if missing:
                raise SpecError(f"lacks the columns {', '.join(missing)}", file=file, line=number)
            continue
        if len(values) != len(names):
            raise SpecError(f"has {len(values)} fields, not {len(names)}", file=file, line=number)
        yield Row(file, number, dict(zip(names, values, strict=True)))


def stamp(value: Any, file: Path, line: int | None, name: str) -> float | None:
    """Unix seconds of an RFC 3339 stamp; None when there is none. SpecError for one that is wrong."""
    if value in (None, ""):
        return None
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise SpecError(f"{str(value)[:40]!r} is not a moment as RFC 3339 writes it", file=file, line=line, field=name)
    return found.timestamp()
