"""The event log: whole lines whatever happens, and readers that say what was lost."""

from __future__ import annotations

import gzip
import os
import resource
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleet.errors import MeasurementError, UsageError
from fleet.results.eventlog import EventLog, read_events
from fleet.results.events import Anomaly, RunMark, encode
from fleet.results.folder import RunFolder


def mark(number: int) -> RunMark:
    return RunMark(ns=number, wall=number, step=f"step-{number}", edge="begin")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventLog(path) as log:
        for number in range(100):
            log.append(mark(number))
        log.sync()
    reading = read_events(path)
    assert list(reading) == [mark(number) for number in range(100)]
    assert (reading.lines, reading.lost, reading.torn, log.written, log.dropped) == (100, 0, False, 100, 0)


def test_a_second_log_goes_on_behind_the_first(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for number in range(2):
        with EventLog(path) as log:
            log.append(mark(number))
    assert [event.ns for event in read_events(path)] == [0, 1]


def test_a_cut_last_line_and_unknown_lines_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    whole = encode(mark(1))
    path.write_bytes(whole + b'{"t":"from-the-future","ns":1,"wall":1}\n' + b"\n" + whole + whole[:20])
    reading = read_events(path)
    assert [event.ns for event in reading] == [1, 1]
    assert (reading.lines, reading.lost, reading.torn) == (4, 2, True)


def test_lines_with_fields_of_a_newer_program_are_read(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(encode(mark(1)).replace(b'"step"', b'"added_later":5,"step"'))
    assert list(read_events(path)) == [mark(1)]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"events\.jsonl"):
        list(read_events(tmp_path / "events.jsonl"))


def test_a_symlink_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    (tmp_path / "events.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        EventLog(tmp_path / "events.jsonl")


@pytest.fixture
def small_files() -> Iterator[int]:
    """The kernel refuses to let a file of this process grow beyond so many bytes, as a full disk would."""
    limit = 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, former)


def test_a_full_disk_is_told_once_and_leaves_whole_lines(tmp_path: Path, small_files: int) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)

    def fill() -> None:
        for number in range(100):
            log.append(mark(number))
            log.flush()

    with pytest.raises(MeasurementError, match=r"events\.jsonl"):
        fill()
    log.append(Anomaly(ns=0, wall=0, what="late"))
    log.close()
    reading = read_events(path)
    kept = [event.ns for event in reading]
    assert kept == list(range(len(kept)))
    assert 0 < path.stat().st_size <= small_files
    assert (reading.lost, log.written) == (0, len(kept))
    assert log.dropped >= 1


def test_a_killed_driver_loses_no_more_than_a_moment(tmp_path: Path) -> None:
    """A child appends, waits until its lines are in the file without calling flush, and kills itself."""
    path = tmp_path / "events.jsonl"
    child = os.fork()
    if child == 0:
        log = EventLog(path)
        for number in range(10):
            log.append(mark(number))
        while path.stat().st_size == 0:
            os.sched_yield()
        os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert len(list(read_events(path))) == 10


def test_a_run_that_was_put_away_is_read_from_its_gzip(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "wec-scaling", datetime(2026, 11, 22, tzinfo=UTC))
    folder.file("events.jsonl.gz").write_bytes(gzip.compress(encode(mark(1))))
    assert list(folder.events()) == [mark(1)]
    folder.file("events.jsonl").write_bytes(b"")
    assert list(folder.events()) == []


def test_a_packed_run_that_was_cut_off_or_damaged_gives_what_can_be_read(tmp_path: Path) -> None:
    lines = [mark(number) for number in range(50_000)]
    packed = gzip.compress(b"".join(map(encode, lines)))
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(packed[: len(packed) // 2])
    reading = read_events(path)
    found = list(reading)
    assert found == lines[: len(found)]
    assert len(found) > 10_000
    assert (reading.lines, reading.lost, reading.torn) == (len(found) + 1, 1, True)
    path.write_bytes(packed[:-8] + bytes(8))  # the checksum
    assert len(list(reading)) >= len(lines) - 1
    assert (reading.lost, reading.torn) == (1, False)
