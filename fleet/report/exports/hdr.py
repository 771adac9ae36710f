"""HdrHistogram logs: one per stage and setting, an interval per counted trial; its tools read and merge them."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogWriter

from fleet.analysis.samples import Sample, Setting
from fleet.analysis.study import Study
from fleet.report.exports.grouping import cells
from fleet.results.events import TrialPlan

MOST_MICROSECONDS = 7 * 24 * 3600 * 1_000_000
"""As long as an experiment may wait."""
DIGITS = 3
"""Every value is kept to a thousandth of itself. Logs of the same range and digits can be added."""
_PER_SECOND = 1_000_000.0


class HdrReporter:
    """What HdrHistogram cannot hold (a missing sample, one that two watches raced to below 0) stands in a comment."""

    def files(self, study: Study) -> Mapping[str, bytes]:
        """`hdr/<stage>/<setting>.hlog`; values are microseconds, times seconds since the epoch."""
        made = {}
        for (stage, setting), group in cells(study).items():
            if any(sample.seconds is not None for sample in group):
                made[f"hdr/{stage}/{_slug(setting)}.hlog"] = _log(study, stage, setting, group).encode()
        return made


def _slug(setting: Setting) -> str:
    parts = [setting.layout, f"{setting.wecs}-wecs", *setting.point.replace("=", "-").split()]
    return "_".join(part.replace("/", "-") for part in parts if part)


def _log(study: Study, stage: str, setting: Setting, group: Sequence[Sample]) -> str:
    text = io.StringIO()
    writer = HistogramLogWriter(text)
    missing = sum(sample.seconds is None for sample in group)
    below = sum(sample.seconds is not None and sample.seconds < 0 for sample in group)
    writer.output_comment(f"[{study.run.experiment} {study.run.id}: {stage} ({setting}), microseconds]")
    writer.output_comment(f"[not in the histograms: {missing} missing, {below} below 0]")
    writer.output_log_format_version()
    writer.output_legend()
    for plan, values in _trials(study, group):
        histogram = HdrHistogram(1, MOST_MICROSECONDS, DIGITS)
        for seconds in values:
            histogram.record_value(max(1, round(seconds * _PER_SECOND)))
        begin, end = (_epoch(study, ns) for ns in study.recorded.span(plan))
        writer.output_interval_histogram(histogram, begin, end, _PER_SECOND)
    return text.getvalue()


def _trials(study: Study, group: Sequence[Sample]) -> Iterator[tuple[TrialPlan, list[float]]]:
    """The values of each counted trial, in the order of the run."""
    values: defaultdict[str, list[float]] = defaultdict(list)
    for sample in group:
        if sample.seconds is not None and sample.seconds >= 0:
            values[sample.trial].append(sample.seconds)
    yield from ((plan, values[plan.trial]) for plan in study.recorded.trials if plan.trial in values)


def _epoch(study: Study, ns: int) -> float:
    """Unix time of a moment on the driver's clock."""
    first = study.recorded.trials[0]
    return (first.wall + ns - first.ns) / 1e9
