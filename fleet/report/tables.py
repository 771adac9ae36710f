"""The tables of the report, as text that is already rounded and aligned by its kind."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from fleet.analysis.findings import DataTable
from fleet.analysis.resources import peaks, requests, waiting
from fleet.analysis.sample_columns import Samples
from fleet.analysis.samples import Setting
from fleet.analysis.study import Study
from fleet.analysis.summary import Row
from fleet.model.manager_record import FixedDelay
from fleet.report.disturbed import disturbed

MISSING_SHOWN = 500
"""Rows of missing samples in the page; the rest is in samples.csv, so that a dead WEC does not make it megabytes."""
OPEN_ROWS = 12
"""A longer table of missing samples is folded."""

LONG = 32
"""Characters of a cell from which on its column may be broken into lines."""

ABSENT = "\N{EN DASH}"
"""Stands in a cell that has no value."""

_MIB = 1 << 20
_WHOLE = 1000.0
"""From here on a number is written without a fraction."""


@dataclass(frozen=True)
class Table:
    """`numeric` names the columns that are aligned right, `prose` those that may be broken into lines."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    numeric: frozenset[str] = frozenset()
    prose: frozenset[str] = frozenset()


EMPTY = Table((), ())


def data_table(data: DataTable) -> Table:
    """A table of an experiment's own, numbers with four significant digits, units behind the names of their columns."""
    head = tuple(f"{column.name} ({column.unit})" if column.unit else column.name for column in data.columns)
    numbers = {
        name
        for at, name in enumerate(head)
        if all(row[at] is None or isinstance(row[at], int | float) for row in data.rows)
    }
    rows = [tuple(_cell(value) for value in row) for row in data.rows]
    long = {name for at, name in enumerate(head) if any(len(row[at]) > LONG for row in rows)}
    return Table(head, rows, frozenset(numbers), frozenset(long - numbers))


def _cell(value: str | float | None) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, str | int):
        return str(value)
    return f"{value:.0f}" if abs(value) >= _WHOLE else f"{value:.4g}"


def _seconds(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.3f}"


def latencies(rows: Sequence[Row], stages: Sequence[str]) -> Table:
    """Percentiles by layout and WEC count of the stages that matter most."""
    head = ("stage", "layout", "WECs", "samples", "missing", "p50", "95 % interval of p50", "p90", "p99", "max")
    body = [
        (
            row.stage,
            _label(row.setting),
            str(row.wecs),
            str(row.count),
            str(row.missing),
            _seconds(row.p50),
            ABSENT if row.p50_interval is None else f"{row.p50_interval[0]:.3f} to {row.p50_interval[1]:.3f}",
            _seconds(row.p90),
            "needs 100" if row.p99 is None and row.count else _seconds(row.p99),
            _seconds(row.max),
        )
        for row in rows
        if row.stage in stages
    ]
    return Table(head, body, frozenset(head[2:]))


def fixed_part(rows: Sequence[Row], stage: str, delay: FixedDelay) -> Table:
    """A stage that begins with the creation, cut into the fixed delay and what is left of it."""
    head = (
        "layout",
        "WECs",
        f"{stage} p50",
        f"fixed {delay.name}",
        "rest p50",
        "downsync p50",
        "downsync p50 without it",
    )
    downsync = {row.setting: row.p50 for row in rows if row.stage == "downsync"}
    body = []
    for row in rows:
        if row.stage != stage or row.p50 is None:
            continue
        fixed = min(delay.seconds, row.p50)
        whole = downsync.get(row.setting)
        rest = None if whole is None else whole - fixed
        cells = (row.p50, fixed, row.p50 - fixed, whole, rest)
        body.append((_label(row.setting), str(row.wecs), *(_seconds(cell) for cell in cells)))
    return Table(head, body, frozenset(head[1:]))


def predicted(study: Study) -> Table:
    """Floors by the rate limits alongside what was measured; seconds."""
    rows = [row for row in study.predictions if row.floors]
    limits = [floor.short for floor in rows[0].floors] if rows else []
    head = ("layout", "WECs", "objects", *limits, "floor, last WEC", "measured", "ratio",
            "floor, status", "measured status")  # fmt: skip
    body = [
        (
            _label(row.setting),
            str(row.wecs),
            str(row.objects),
            *(f"{floor.seconds:.1f}" for floor in row.floors),
            f"{row.downsync_floor:.1f}",
            ABSENT if row.downsync_measured is None else f"{row.downsync_measured:.2f}",
            ABSENT if row.ratio is None else f"{row.ratio:.2f}",
            ABSENT if row.e2e_floor is None else f"{row.e2e_floor:.1f}",
            ABSENT if row.e2e_measured is None else f"{row.e2e_measured:.2f}",
        )
        for row in rows
    ]
    return Table(head, body, frozenset(head[1:]))


def components(study: Study, hub: Sequence[str]) -> Table:
    """Peaks per component, the first hub cluster's API server first."""
    head = ("component", "of", "programs", "CPU mean (cores)", "CPU peak (cores)", "RSS peak (MiB)", "descriptors")
    found = peaks(study.usages, hub)
    first = [p for p in found if p.component == "kube-apiserver" and hub and p.clusters == hub[0]]
    body = [
        (
            peak.component,
            peak.clusters,
            str(peak.programs),
            f"{peak.cpu_mean:.3f}",
            f"{peak.cpu_peak:.3f}",
            f"{peak.rss_peak / _MIB:.0f}",
            str(peak.fds_peak),
        )
        for peak in [*first, *(p for p in found if p not in first)]
    ]
    return Table(head, body, frozenset(head[2:]))


def api_requests(study: Study) -> Table:
    """Requests per trial that each hub API server answered, by verb."""
    found = requests(study.recorded)
    verbs = sorted({row.verb for row in found})
    counts: defaultdict[tuple[str, Setting], dict[str, float]] = defaultdict(dict)
    for row in found:
        counts[row.cluster, row.setting][row.verb] = row.per_trial
    head = ("API server", "layout", "WECs", "all", *verbs)
    body = [
        (
            cluster,
            _label(setting),
            str(setting.wecs),
            f"{sum(by_verb.values()):.0f}",
            *(f"{by_verb[verb]:.0f}" if verb in by_verb else ABSENT for verb in verbs),
        )
        for (cluster, setting), by_verb in sorted(counts.items(), key=lambda item: (item[0][0], item[0][1].order))
    ]
    return Table(head, body, frozenset(head[2:]))


def _label(setting: Setting) -> str:
    """The layout, and the point where there is one."""
    return ", ".join(part for part in (setting.layout, setting.point) if part) or ABSENT


def limiter(study: Study) -> Table:
    """Time in each component's own rate limiter; per trial."""
    head = ("component", "layout", "WECs", "waited (s)", "trial (s)", "requests waiting on average")
    body = [
        (w.component, _label(w.setting), str(w.setting.wecs), f"{w.waited:.1f}", f"{w.elapsed:.1f}", f"{w.share:.2f}")
        for w in sorted(waiting(study.recorded), key=lambda w: (w.component, w.setting.order))
    ]
    return Table(head, body, frozenset(head[2:]))


def missing(samples: Samples) -> tuple[Table, int]:
    """Every missing sample that counts, up to `MISSING_SHOWN`, and how many there are."""
    found = samples.counted.missing
    head = ("trial", "repeat", "layout", "WECs", "stage", "object", "WEC", "flags")
    body = [
        (
            sample.trial,
            str(sample.repeat),
            _label(sample.setting),
            str(sample.wecs),
            sample.stage,
            f"{sample.namespace}/{sample.name}",
            sample.cluster or ABSENT,
            " ".join(flag for flag in sample.flags if flag != "missing") or ABSENT,
        )
        for sample in found[:MISSING_SHOWN]
    ]
    return Table(head, body, frozenset({"repeat", "WECs"})), len(found)


def events(study: Study) -> Table:
    """Anomalies, gaps of watches, clusters that went or came, and disturbances of the fleet, by time."""
    recorded = study.recorded
    lines: list[tuple[int, str, str, str]] = [
        *((a.ns, a.what, " ".join(part for part in (a.trial, a.cluster) if part), a.text) for a in recorded.anomalies),
        *(
            (g.start_ns, "gap", g.cluster, f"{g.resource}: blind for {(g.ns - g.start_ns) / 1e9:.3f} s, {g.reason}")
            for g in recorded.gaps
        ),
        *((s.ns, f"cluster {s.state}", s.cluster, s.reason) for s in recorded.states),
        *((s.ns, "refused", s.op, f"{s.code} {s.error}") for s in recorded.refused),
        *disturbed(study.disturbances),
    ]
    body = [
        (f"{(ns - recorded.first_ns) / 1e9:.1f}", what, where or ABSENT, text or ABSENT)
        for ns, what, where, text in sorted(lines)
    ]
    return Table(("at (s)", "what", "where", "text"), body[:MISSING_SHOWN], frozenset({"at (s)"}), frozenset({"text"}))


def client_limits(study: Study) -> Table:
    """The client-side limits, as they were set."""
    values = study.run.fleet.limits
    return Table(("limit", "value"), [(name, f"{value:g}") for name, value in values.items()], frozenset({"value"}))


def programs(study: Study) -> Table:
    """How each component was started: the first program of each."""
    seen: dict[str, tuple[str, ...]] = {}
    for component in study.run.fleet.components:
        if component.component not in seen:
            seen[component.component] = (
                component.component, component.program, component.version or ABSENT, shlex.join(component.argv)
            )  # fmt: skip
    return Table(("component", "program", "version", "command"), list(seen.values()), prose=frozenset({"command"}))
