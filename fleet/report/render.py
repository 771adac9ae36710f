"""Make every report of a run again, from `run.json` and `events.jsonl` alone."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.analysis.quality import Verdict
from fleet.analysis.sealed_summary import SUMMARY
from fleet.analysis.study import Study, analyse
from fleet.report.csvfile import CsvReporter
from fleet.report.html import HtmlReporter
from fleet.report.jsonfile import JsonReporter
from fleet.report.markdown import MarkdownReporter
from fleet.report.parquet import ParquetReporter
from fleet.report.reporter import Reporter
from fleet.results.folder import EVENTS, RUN, RunFolder

REPORTERS: tuple[Reporter, ...] = (CsvReporter(), ParquetReporter(), JsonReporter(), MarkdownReporter(), HtmlReporter())


def render(folder: RunFolder) -> Verdict:
    """Write every file of every format and the manifest; the verdict that they show.

    No file is replaced before all are there, so an error leaves no half report. UsageError when the folder cannot be
    read, MeasurementError when the disk refuses.
    """
    return write(folder, analyse(folder)).verdict


def write(folder: RunFolder, study: Study, reporters: Sequence[Reporter] = REPORTERS) -> Study:
    """Write the reports of a study that is already made; seal the folder of a run that has ended.

    A folder whose raw files were changed since, or whose summary is not what its events say, keeps that summary and its
    old seal, so that every later report says so too.
    """
    changed = bool(set(folder.modified()) & {RUN, EVENTS}) or bool(study.disagrees)
    files = {name: content for reporter in reporters for name, content in reporter.files(study).items()}
    if study.disagrees:
        files.pop(SUMMARY, None)
    folder.write_all(files)
    if not changed and study.run.status != "running":
        folder.seal()
    return study
