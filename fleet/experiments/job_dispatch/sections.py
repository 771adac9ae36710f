"""The report's section: throughput and latency per Job."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.analysis.study import Study
from fleet.experiments.job_dispatch.analysis import TABLE
from fleet.report.section import Section
from fleet.report.tables import data_table

RULES = (
    "Dispatch is from the request at the hub to the Job in its worker, completion to its end at the hub. Rates are from"
    " the first request of a trial to the last Job, median over trials; percentiles are of all Jobs. `limits=closed`:"
    " the fleet's own client limits; `limits=open`: the manager's raised. `load=single`: one Job after another;"
    " `load=burst`: all at once."
)


def sections(study: Study) -> Iterator[Section]:
    """One."""
    for table in study.own.tables:
        if table.name == TABLE:
            yield Section(TABLE, table.title, [RULES], data_table(table))
