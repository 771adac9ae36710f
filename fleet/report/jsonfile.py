"""`summary.json`."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.analysis.study import Study


class JsonReporter:
    """The summary with the verdict, for programs."""

    def files(self, study: Study) -> Mapping[str, bytes]:
        """`summary.json`, the model `fleet.analysis.summary.Summary`."""
        return {"summary.json": study.summary.model_dump_json(indent=2).encode() + b"\n"}
