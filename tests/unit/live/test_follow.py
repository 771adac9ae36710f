"""Following a run that is written while it is read: whole lines once, and at the end the numbers of the report."""

from __future__ import annotations

from pathlib import Path

from fleet.analysis.study import analyse
from fleet.live.follow import Follower
from fleet.live.page import body
from fleet.results.events import RunMark
from fleet.results.folder import RunFolder
from tests.unit.analysis.simulator import START_NS
from tests.unit.report.made import run_record, simulated, weighed, write_run


def running(root: Path) -> tuple[RunFolder, bytes]:
    """A run folder that is still empty, and what will be written into it."""
    steps = [RunMark(ns=START_NS - 5, wall=0, step="settle", edge="begin", trial="t0")]
    folder = write_run(root, [*steps, *weighed(simulated([2], repeats=2).ordered())], wecs=2)
    folder.write_run(run_record(folder.id, 2, status="running", ended=None))
    events = folder.path / "events.jsonl"
    content = events.read_bytes()
    events.write_bytes(b"")
    return folder, content


def test_the_numbers_are_those_of_the_report_however_the_file_grew(tmp_path: Path) -> None:
    folder, content = running(tmp_path)
    follower = Follower(folder, 6)
    assert not follower.look()
    for part in range(0, len(content), 7919):  # a prime: lines are cut anywhere
        with folder.log.open("ab") as file:
            file.write(content[part : part + 7919])
        follower.look()
    assert not follower.look()
    found, whole = follower.study(), analyse(folder)
    assert follower.recorded.lines == whole.recorded.lines == content.count(b"\n")
    assert found.rows == whole.rows
    assert found.cpu == whole.cpu


def test_progress_says_trial_step_and_samples(tmp_path: Path) -> None:
    folder, content = running(tmp_path)
    follower = Follower(folder, 6)
    lines = content.splitlines(keepends=True)
    folder.log.write_bytes(b"".join(lines[:1]))
    follower.look()
    assert str(follower.progress(follower.study())) == "settle, 0 s"
    folder.log.write_bytes(b"".join(lines[: len(lines) // 2]))
    follower.look()
    progress = follower.progress(follower.study())
    assert str(progress).startswith(f"trial {progress.number} of 6: one-to-one, 2 WECs, repeat ")
    assert 0 < progress.share < 1
    assert 0 <= progress.done <= progress.planned


def test_the_page_has_the_sections_of_the_report_and_escapes(tmp_path: Path) -> None:
    folder, content = running(tmp_path)
    folder.log.write_bytes(content)
    record = folder.read_run()
    evil = record.spec.model_copy(update={"description": "<script>alert(1)</script>"})
    folder.write_run(record.with_(spec=evil))
    follower = Follower(folder, 6)
    while follower.look():
        pass
    study = follower.study()
    html = body(study, follower.progress(study))
    for anchor in ("latency", "time", "wecs", "resources", "events"):
        assert f'<h2 id="{anchor}">' in html
    for title in ("Latency over the run", "Rates", "CPU of the emulation alongside that of the system under test"):
        assert f'aria-label="{title}"' in html
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
