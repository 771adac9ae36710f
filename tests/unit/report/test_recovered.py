"""What a report says of planned faults and of broken rules: sections, the banner's findings, marks over time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from fleet.analysis.study import Study, analyse
from fleet.report import figures
from fleet.report.html import page
from fleet.report.recovered import recovered
from fleet.results.events import Line, ProcessSample
from fleet.results.folder import RunFolder
from tests.unit.analysis.checker.histories import FINAL, WECS, at, begin, delivered, drained, fault, seen, whole
from tests.unit.report.made import run_record

ONE, TWO = WECS


def study(tmp_path: Path, lines: list[Line]) -> Study:
    folder = RunFolder.create(tmp_path, "wec-scaling", datetime(2026, 11, 28, tzinfo=UTC))
    folder.write_run(run_record(folder.id, 2))
    with folder.event_log() as log:
        for line in sorted(lines, key=lambda one: one.ns):
            log.append(line)
    return analyse(folder)


def used(seconds: float) -> ProcessSample:
    return ProcessSample(
        **at(seconds), machine="local", program="etcd.its1", component="etcd", cluster="its1", pid=1,
        cpu_seconds=seconds / 10, rss=1 << 20,
    )  # fmt: skip


def test_a_run_without_faults_and_findings_has_neither_section(tmp_path: Path) -> None:
    made = study(tmp_path, whole())
    assert list(recovered(made)) == []
    assert "faults" not in made.summary.model_dump_json()


def test_a_fault_has_a_row_and_marks_over_time(tmp_path: Path) -> None:
    late = [seen(12, TWO, "ADDED", 30), seen(13, TWO, "MODIFIED", 31, status=FINAL)]
    lines = [*begin(), *delivered([ONE]), *fault(2, 8, wec=TWO), *late, used(1), used(6), used(12), drained(14)]
    made = study(tmp_path, lines)
    (section,) = recovered(made)
    assert section.title == "What the faults did"
    (row,) = section.table.rows
    cells = dict(zip(section.table.head, row, strict=True))
    assert cells["fault"] == "stop of wec002"
    assert (cells["recovery p50 (s)"], cells["recovery p99"], cells["backlog max"]) == ("5.00", "needs 100", "2")
    assert figures.resources(made, ["its1"])[0].caption == (
        "Shaded: counted trials. The strip on top: the phases of the run. Hatched: stop of wec002."
    )
    assert made.summary.faults[0].recovery_p50 == 5.0
    assert "What the faults did" in page(made)


def test_a_pair_that_was_never_right_is_said(tmp_path: Path) -> None:
    made = study(tmp_path, [*begin(), *delivered([ONE]), *fault(2, 8, wec=TWO), drained(60)])
    section = next(iter(recovered(made)))
    assert "stop of wec002 in trial t000: 1 pairs were not right to the end." in section.lines


def test_a_broken_rule_is_at_the_top_and_has_a_section(tmp_path: Path) -> None:
    made = study(tmp_path, [*begin(), *delivered([ONE]), drained()])
    (found,) = made.verdict.findings
    assert found.startswith("rule `lost` is broken: deployments/ns/op-1 was accepted by wds1")
    (section,) = recovered(made)
    assert section.lines[0] == "7 of 8 rules hold. `fleet check` shows the lines."
    assert section.table.rows[0][:2] == ("lost", "t000")
    text = page(made)
    assert text.index("rule <code>lost</code> is broken") < text.index("What the checker found")
