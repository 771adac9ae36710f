"""Stretches in which a watch was blind, as lines of the run."""

from __future__ import annotations

import time

from fleet.kube.reflector import Gap
from fleet.observe.recorder import Recorder
from fleet.results.events import GapSeen

RECONNECT_TOLD_NS = 50_000_000
"""A watch that was reopened without loss is reported as a gap when it was blind for longer than this: lines came
late."""


class Gaps:
    """What a reflector's `on_gap` and `on_reconnect` get."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def gap(self, gap: Gap) -> None:
        """Something may have been lost."""
        self._recorder.record(
            GapSeen(
                ns=gap.end_ns,
                wall=time.time_ns(),
                cluster=gap.cluster,
                resource=str(gap.resource),
                start_ns=gap.start_ns,
                reason=gap.reason,
            )
        )

    def reconnect(self, gap: Gap) -> None:
        """Nothing was lost; reported only when it took long."""
        if gap.end_ns - gap.start_ns > RECONNECT_TOLD_NS:
            self.gap(gap)
