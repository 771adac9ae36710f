"""ClusterLoader2's PerfData, as perfdash reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from fleet.analysis.stats import quantile
from fleet.analysis.study import Study
from fleet.report.exports.grouping import cells, measured


class PerfDataReporter:
    """One item per stage, layout, WEC count and point; milliseconds."""

    def files(self, study: Study) -> Mapping[str, bytes]:
        """`FleetLatency_<experiment>_<start>.json`: summary name, test name and time, as perfdash expects.

        Every item has the same buckets, because perfdash wants that of equal labels: with fewer than 100 samples
        Perc99 is the largest of them.
        """
        items = []
        for (stage, setting), group in cells(study).items():
            values = measured(group)
            if values:
                buckets = {f"Perc{share}": quantile(values, share / 100) * 1000 for share in (50, 90, 99)}
                labels = {"Metric": stage, "Layout": setting.layout, "WECs": str(setting.wecs)}
                labels |= {"Point": setting.point} if setting.point else {}
                items.append({"data": buckets, "unit": "ms", "labels": labels})
        run = study.run
        document = {
            "version": "v1",
            "dataItems": items,
            "labels": {
                "run": run.id,
                "status": study.verdict.status,
                "statusAgent": run.fleet.manager.facts.get("status_agent", ""),
            },
        }
        name = f"FleetLatency_{run.experiment}_{run.started}.json"
        return {name: json.dumps(document, indent=2).encode() + b"\n"}
