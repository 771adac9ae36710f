"""What every output format is: a study in, named files out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from fleet.analysis.study import Study


class Reporter(Protocol):
    """One format. It writes nothing: whoever calls it writes all files or none."""

    def files(self, study: Study) -> Mapping[str, bytes]:
        """File name in the run folder -> content."""
