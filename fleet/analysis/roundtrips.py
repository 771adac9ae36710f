"""How many round trips between WEC and hub each stage costs: the slope of its latency over the rtt, and the theory.

Where a stage crosses the link is the manager's theory (`fleet.analysis.theory.LinkTheory`). Its agent asks the hub for
one object at a time and waits for the answer: objects that come faster than one per round trip wait for each other. How
long each waits follows from when they were there, which was recorded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from fleet.analysis.sample_columns import Samples
from fleet.analysis.samples import Sample
from fleet.analysis.setting import LAYOUTS, values
from fleet.analysis.theory import LinkTheory
from fleet.model.base import Model

AXIS = "rtt_ms"
"""What a point of `link-latency` is named by."""
CLOSE = 0.25
"""Round trips. A stage that is not distinguished from its prediction by more is as predicted, whatever its interval."""
CONFIDENCE = 0.95
FEWEST = 3
"""Trials below which there is no interval."""


class RoundTrips(Model):
    """One stage over all round trips that were tried, at one layout and number of WECs."""

    stage: str
    layout: str
    wecs: int
    predicted: float | None
    """Round trips: the slope of what the protocol requires, over the same trials; None where nothing is predicted."""
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


def round_trips(samples: Iterable[Sample], rank: Mapping[str, int], theory: LinkTheory | None) -> list[RoundTrips]:
    """A row per stage, layout and WEC count of a run whose points are round trips; none for other runs.

    Without a theory nothing is predicted.
    """
    trials: defaultdict[tuple[str, str, int], defaultdict[tuple[str, float], list[float]]]
    trials = defaultdict(lambda: defaultdict(list))
    swept = Samples.of(samples).counted.about(lambda subject: AXIS in values(subject.point))
    for sample in swept:
        rtt = values(sample.point).get(AXIS)
        if rtt is not None and sample.seconds is not None:
            trials[sample.stage, sample.layout, sample.wecs][sample.trial, rtt / 1000].append(sample.seconds)
    asked = {} if theory is None else {trial: median(all_) for trial, all_ in _asked(swept, theory).items()}
    keys = sorted(trials, key=lambda key: (rank[key[0]], LAYOUTS.index(key[1]), key[2]))
    medians = {key: {trial: median(found) for trial, found in trials[key].items()} for key in keys}
    rows = (_row(*key, medians[key], _predicted(theory, key[0], medians[key], asked)) for key in keys)
    return [row for row in rows if row is not None]


def waits(there: Sequence[float], rtt: float) -> list[float]:
    """Seconds that each work waits for those before it, by when it was in the hub (ascending, seconds).

    One server that takes a round trip for each, first come first served.
    """
    free, found = float("-inf"), []
    for moment in there:
        begins = max(moment, free)
        found.append(begins - moment)
        free = begins + rtt
    return found


def _asked(swept: Samples, theory: LinkTheory) -> dict[str, list[float]]:
    """What the protocol asks of each object that crosses, in seconds by trial."""
    works: defaultdict[tuple[str, str, float], set[int]] = defaultdict(set)
    for sample in swept.of_stages(theory.stage):
        rtt = values(sample.point).get(AXIS)
        if rtt is not None and sample.start_ns is not None:
            # Objects that travel together were there at the same moment: the agent asks once for all of them.
            works[sample.trial, sample.cluster, rtt / 1000].add(sample.start_ns)
    found: defaultdict[str, list[float]] = defaultdict(list)
    for (trial, _, rtt), there in works.items():
        found[trial] += [
            (theory.hears + theory.asks) * rtt + wait for wait in waits([ns / 1e9 for ns in sorted(there)], rtt)
        ]
    return found


def _predicted(
    theory: LinkTheory | None, stage: str, medians: Mapping[tuple[str, float], float], asked: Mapping[str, float]
) -> list[float] | None:
    """Seconds that the protocol asks of the stage in each trial; None where nothing is predicted."""
    if theory is None:
        return None
    if stage in theory.elsewhere:
        return [0.0 for _ in medians]
    if stage in theory.crossing and all(trial in asked for trial, _ in medians):
        return [asked[trial] for trial, _ in medians]
    return None


def _row(
    stage: str, layout: str, wecs: int, medians: Mapping[tuple[str, float], float], predicted: Sequence[float] | None
) -> RoundTrips | None:
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
        predicted=None if predicted is None else float(theilslopes(predicted, rtts)[0]),
        measured=slope,
        low=low if enough else None,
        high=high if enough else None,
        base=base,
        trials=len(medians),
    )
