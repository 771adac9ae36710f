"""What every output format is: a study in, named files out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from fleet.analysis.study import Study
from fleet.results.folder import Content


class Reporter(Protocol):
    """One format of a run folder. It writes nothing of itself: whoever calls it writes all files or none."""

    def files(self, study: Study) -> Mapping[str, Content]:
        """File name in the run folder -> content."""


class Exporter(Protocol):
    """One format for another tool, likewise."""

    def files(self, study: Study) -> Mapping[str, bytes]:
        """File name -> content."""
