"""Sections that only a run of KubeStellar has: what it takes that several WDSes share an ITS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleet.analysis.study import Study
from fleet.managers.kubestellar.sharing import Sharing
from fleet.report.sections import Section
from fleet.report.tables import ABSENT, Table


def sections(study: Study) -> Iterator[Section]:
    """Those that this run has."""
    rows = [row for row in study.sharing if isinstance(row, Sharing)]
    if rows:
        yield Section("sharing", "What it takes to share an ITS", _shared(rows), _sharing(rows))


_MIB = 1 << 20


def _shared(found: Sequence[Sharing]) -> list[str]:
    """What more WDSes do to the latency, to their ITSes and to memory, the fewest against the most."""
    dedicated = any(row.itses > 1 for row in found)
    shared = (
        "The WDSes take several ITSes in turn, and each WEC has an OCM agent for each ITS of the fleet, so that every "
        "WDS reaches every WEC; only the WECs are shared."
        if dedicated
        else "ITS, agents and WECs are shared."
    )
    rule = (
        f"The same policies and objects, spread over the WDSes of {'several ITSes' if dedicated else 'one ITS'}: each "
        f"WDS has a KubeStellar of its own, with client limits of its own. {shared} KubeStellar rests for the WDSes "
        "that are not used."
    )
    said = [rule]
    for layout, wecs in dict.fromkeys((row.layout, row.wecs) for row in found):
        mine = [row for row in found if (row.layout, row.wecs) == (layout, wecs)]
        few, many = mine[0], mine[-1]
        if few is many:
            continue
        where = f"{layout}, {wecs} WEC{'s' if wecs != 1 else ''}"
        said.append(
            f"{where}: all was complete after {few.whole:.1f} s with {_wdses(few)} and after {many.whole:.1f} s with "
            f"{_wdses(many)}{_cost(few, many)}."
        )
    return said


def _wdses(row: Sharing) -> str:
    return f"{row.wdses} WDS{'es' if row.wdses != 1 else ''}{f' on {row.itses} ITSes' if row.itses > 1 else ''}"


def _cost(few: Sharing, many: Sharing) -> str:
    parts = []
    if few.its_cpu_seconds is not None and many.its_cpu_seconds is not None:
        server = "the ITS's API server" if many.itses == 1 else "the API servers of their ITSes together"
        parts.append(f"{server} took {few.its_cpu_seconds:.1f} and {many.its_cpu_seconds:.1f} s of CPU for it")
    if few.wds_rss_bytes is not None and many.wds_rss_bytes is not None:
        each = (many.wds_rss_bytes - few.wds_rss_bytes) / (many.wdses - few.wdses) / _MIB
        parts.append(f"each WDS more holds {each:.0f} MiB, KubeStellar's programs of it included")
    return "".join(f"; {part}" for part in parts)


def _sharing(found: Sequence[Sharing]) -> Table:
    head = (
        "layout", "WECs", "WDSes", "ITSes", "trials",
        "downsync p50 (s)", "downsync max (s)", "e2e p50 (s)", "e2e max (s)",
        "complete after (s)", "ITS requests", "ITS CPU (s)", "ITS memory (MiB)", "WDSes CPU (s)", "WDSes memory (MiB)",
        "agents CPU (s)", "agents memory (MiB)",
    )  # fmt: skip
    rows = [
        (
            row.layout,
            str(row.wecs),
            str(row.wdses),
            str(row.itses),
            str(row.trials),
            *(_number(v, 3) for v in (row.downsync_p50, row.downsync_max, row.e2e_p50, row.e2e_max)),
            f"{row.whole:.1f}",
            _number(row.its_requests, 0),
            _number(row.its_cpu_seconds, 2),
            _number(_mebibytes(row.its_rss_bytes), 0),
            _number(row.wds_cpu_seconds, 2),
            _number(_mebibytes(row.wds_rss_bytes), 0),
            _number(row.agents_cpu_seconds, 2),
            _number(_mebibytes(row.agents_rss_bytes), 0),
        )
        for row in found
    ]
    return Table(head, rows, frozenset(head[1:]))


def _number(value: float | None, digits: int) -> str:
    return ABSENT if value is None else f"{value:.{digits}f}"


def _mebibytes(size: int | None) -> float | None:
    return None if size is None else size / _MIB
