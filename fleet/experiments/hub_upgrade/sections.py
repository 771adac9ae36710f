"""The report's section: what each upgrade cost, next to trials that nothing was done to."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.analysis.study import Study
from fleet.experiments.hub_upgrade.analysis import TABLE
from fleet.report.section import Section
from fleet.report.tables import data_table

RULES = (
    "`Took` is from the order (`fleet up` with the other version) until the new programs work. A gap in service is a"
    " time in which no object arrived in any WEC although one was under way, from the order on; median and longest over"
    " the trials. Lists are requests of the verb LIST that the hub's API servers answered in a trial, median; more than"
    " undisturbed are what the programs list again. What was lost never came to a WEC that it was planned for;"
    " `fleet check` has the other rules."
)


def sections(study: Study) -> Iterator[Section]:
    """One."""
    for table in study.own.tables:
        if table.name == TABLE:
            yield Section(TABLE, table.title, [RULES], data_table(table))
