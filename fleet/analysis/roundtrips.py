"""How many round trips between WEC and hub each stage costs: the slope of its latency over the rtt, and the theory.

Where a stage crosses the link, restated from OCM 1.2.0 (read in its source):

- `delivery` (ManifestWork in the ITS to AppliedManifestWork in the WEC): the agent hears of the work (half a round
  trip: its watch is open), and does nothing before the work carries its finalizer. It asks for that with a PATCH (half
  a round trip until the hub has it) and goes on when the hub tells it of the change (half a round trip): 1.5.
- `binding`, `packaging` and `finalization` happen in the hub, `activation` and `workload` in the WEC: 0.
- `downsync` is the sum of binding, packaging, delivery and activation: 1.5.

Nothing is predicted for `report`: the status agent's calls overlap with the WEC's own work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median

from fleet.analysis.samples import STAGES, Sample
from fleet.analysis.setting import LAYOUTS, values
from fleet.spec.base import Model

AXIS = "rtt_ms"
"""What a point of `link-latency` is named by."""
PREDICTED: Mapping[str, float] = {
    "binding": 0.0,
    "packaging": 0.0,
    "delivery": 1.5,
    "activation": 0.0,
    "downsync": 1.5,
    "downsync_last": 1.5,
    "workload": 0.0,
    "finalization": 0.0,
}
CLOSE = 0.25
"""Round trips. A stage that is not told apart from its prediction by more is as predicted, whatever its interval."""
CONFIDENCE = 0.95
FEWEST = 3
"""Trials below which there is no interval."""


class RoundTrips(Model):
    """One stage over all round trips that were tried, at one layout and number of WECs."""

    stage: str
    layout: str
    wecs: int
    predicted: float | None
    """Round trips; None where nothing is predicted."""
    measured: float
    """Seconds of latency per second of rtt: round trips. Theil-Sen slope over the medians of the trials."""
    low: float | None
    """95 % interval of the slope; None with too few trials."""
    high: float | None
    base: float
    """Seconds: what the line says of a link without delay."""
    trials: int
    """Counted ones that had samples of the stage."""

    @property
    def agrees(self) -> bool | None:
        """Whether it is as predicted; None where nothing is predicted."""
        if self.predicted is None:
            return None
        if abs(self.measured - self.predicted) <= CLOSE:
            return True
        return self.low is not None and self.high is not None and self.low <= self.predicted <= self.high


def round_trips(samples: Sequence[Sample]) -> list[RoundTrips]:
    """A row per stage, layout and WEC count of a run whose points are round trips; none for other runs."""
    trials: defaultdict[tuple[str, str, int], defaultdict[tuple[str, float], list[float]]]
    trials = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        rtt = values(sample.point).get(AXIS) if sample.point else None
        if rtt is not None and sample.counted and sample.seconds is not None:
            trials[sample.stage, sample.layout, sample.wecs][sample.trial, rtt / 1000].append(sample.seconds)
    keys = sorted(trials, key=lambda key: (STAGES.index(key[0]), LAYOUTS.index(key[1]), key[2]))
    rows = (_row(*key, {trial: median(found) for trial, found in trials[key].items()}) for key in keys)
    return [row for row in rows if row is not None]


def _row(stage: str, layout: str, wecs: int, medians: Mapping[tuple[str, float], float]) -> RoundTrips | None:
    """None when fewer than two round trips were measured."""
    from scipy.stats import theilslopes  # noqa: PLC0415 - slow to import, and most runs sweep something else

    rtts = [rtt for _, rtt in medians]
    if len(set(rtts)) < 2:  # noqa: PLR2004 - a slope needs two
        return None
    slope, base, low, high = (float(value) for value in theilslopes(list(medians.values()), rtts, CONFIDENCE))
    enough = len(medians) >= FEWEST
    return RoundTrips(
        stage=stage,
        layout=layout,
        wecs=wecs,
        predicted=PREDICTED.get(stage),
        measured=slope,
        low=low if enough else None,
        high=high if enough else None,
        base=base,
        trials=len(medians),
    )
