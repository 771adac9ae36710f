"""OpenMetrics text: a histogram per stage."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fleet.analysis.exposition import Exposition
from fleet.analysis.study import Study


class OpenMetricsReporter:
    """One histogram per stage, labelled by layout, WEC count and cluster; never by object."""

    def files(self, study: Study) -> Mapping[str, bytes]:
        """`metrics.prom`, every value stamped with the end of the run."""
        run = study.run
        made = Exposition(
            manager=run.manager,
            samples=study.samples,
            planned=study.recorded.objects_per_trial(),
            facts={
                "run": run.id,
                "experiment": run.experiment,
                "status": study.verdict.status,
                "fleet": run.fleet.name,
            },
            stamp=f"{datetime.fromisoformat(run.ended or run.started).timestamp():.3f}",
        )
        return {"metrics.prom": made.openmetrics().encode()}
