from __future__ import annotations

from pathlib import Path

import pytest

from fleet.cli.exporting import write_all
from fleet.errors import UsageError
from tests.unit.analysis.test_compare import study
from tests.unit.cli.conftest import Fleet


@pytest.mark.parametrize(("name", "files"), [("junit", 1), ("perfdata", 1), ("openmetrics", 1), ("kube-burner", 7)])
def test_every_format_is_written_and_its_paths_are_printed(fleet: Fleet, tmp_path: Path, name: str, files: int) -> None:
    run = study(tmp_path / "results", counts=(2,), repeats=1).run.id
    ran = fleet("export", run, "--format", name, "--results", str(tmp_path / "results"), "--out", str(tmp_path / "out"))
    assert (ran.code, ran.err) == (0, "")
    paths = [Path(line) for line in ran.out.splitlines()]
    assert len(paths) == files
    assert all(path.is_file() and path.is_relative_to(tmp_path / "out") for path in paths)
    assert not list((tmp_path / "out").rglob("*.partial"))


def test_bad_words_are_refused(fleet: Fleet) -> None:
    assert fleet("export", "x", "--format", "csv").code == 2
    assert fleet("export", "x").code == 2
    assert fleet("export", "nope", "--format", "junit").code == 2


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "a/../../b"])
def test_no_file_leaves_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="leaves the folder"):
        write_all(tmp_path, {name: b""})


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is not a folder"):
        write_all(tmp_path / "file", {"a": b""})
