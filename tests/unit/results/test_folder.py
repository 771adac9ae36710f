"""The run folder: made once, replaced whole, refused when it is not ours."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from fleet.errors import MeasurementError, UsageError
from fleet.results.folder import RunFolder, newest
from tests.unit.report.made import run_record

AT = datetime(2026, 11, 22, 18, 5, 1, tzinfo=UTC)


def made(root: Path, experiment: str = "wec-scaling", at: datetime = AT) -> RunFolder:
    folder = RunFolder.create(root, experiment, at)
    folder.write_run(run_record(folder.id, 2))
    return folder


def test_its_name_is_utc_and_a_short_id(tmp_path: Path) -> None:
    berlin = datetime(2026, 11, 22, 19, 5, 1, tzinfo=timezone(timedelta(hours=1)))
    folder = made(tmp_path, at=berlin)
    assert re.fullmatch(r"20261122T180501Z-[0-9a-f]{8}", folder.id)
    assert folder.path.parent == tmp_path / "wec-scaling"
    assert RunFolder.open(folder.path) == folder


@pytest.mark.parametrize("name", ["../x", "a/b", "..", "", "Upper", "x" * 41, "-x", "ünï"])
def test_bad_experiment_names_make_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="experiment name"):
        RunFolder.create(tmp_path / "results", name, AT)
    assert not (tmp_path / "results").exists()


def test_the_newest_is_the_one_started_last(tmp_path: Path) -> None:
    made(tmp_path, at=AT)
    last = made(tmp_path, "other", at=AT + timedelta(seconds=2))
    middle = made(tmp_path, at=AT + timedelta(seconds=1))
    assert newest(tmp_path) == last
    assert newest(tmp_path, "wec-scaling") == middle
    with pytest.raises(UsageError, match="no run of absent"):
        newest(tmp_path, "absent")
    with pytest.raises(UsageError, match="fleet experiment run"):
        newest(tmp_path / "nothing")


def test_what_is_no_run_folder_is_refused(tmp_path: Path) -> None:
    folder = made(tmp_path)
    link = tmp_path / "link"
    link.symlink_to(folder.path)
    for path, words in ((link, "symbolic link"), (tmp_path, r"has no run\.json"), (tmp_path / "absent", "No such"),
                        (folder.path / "run.json", "not a folder")):  # fmt: skip
        with pytest.raises(UsageError, match=words):
            RunFolder.open(path)
    (tmp_path / "linked").symlink_to(tmp_path / "wec-scaling")
    with pytest.raises(UsageError, match="symbolic link"):
        RunFolder.create(tmp_path, "linked", AT)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = made(tmp_path)
    folder.write("summary.json", b"old")
    (folder.path / "report.html").mkdir()
    with pytest.raises(MeasurementError, match=r"report\.html"):
        folder.write("report.html", b"new")
    folder.write("summary.json", b"new")
    assert (folder.path / "summary.json").read_bytes() == b"new"
    assert sorted(path.name for path in folder.path.iterdir()) == ["report.html", "run.json", "summary.json"]


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "x" * 90])
def test_file_names_stay_inside(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="not a file name"):
        made(tmp_path).write(name, b"")


def test_the_seal_tells_what_was_changed(tmp_path: Path) -> None:
    folder = made(tmp_path)
    folder.write("summary.json", b"{}")
    assert folder.modified() == []
    folder.seal()
    assert folder.modified() == []
    folder.write("summary.json", b"{ }")
    (folder.path / "run.json").unlink()
    assert folder.modified() == ["run.json", "summary.json"]
