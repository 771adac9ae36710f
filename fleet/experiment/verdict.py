"""Whether to believe a run, and why not: from its samples, its anomalies and the way it ended. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from fleet.analysis.timelines import Sample
from fleet.results.events import Anomaly

Verdict = Literal["valid", "partial", "invalid"]

HARMLESS = frozenset({"metrics"})
"""Anomalies that cost a side table, not a latency."""


@dataclass(frozen=True)
class Judgement:
    """The verdict and its reasons, most serious first."""

    status: Verdict
    reasons: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 or 4 (measurement partial or invalid)."""
        return 0 if self.status == "valid" else 4


def judge(
    samples: Sequence[Sample], anomalies: Sequence[Anomaly], *, ended: Sequence[str], was_down: Collection[str]
) -> Judgement:
    """`ended` says why the run ended before its last trial (empty: it did not); `was_down` names clusters."""
    counted = [sample for sample in samples if sample.repeat >= 0]
    measured = sum(1 for sample in counted if sample.seconds is not None)
    if not measured:
        return Judgement("invalid", (*ended, "no counted sample was measured", *_anomalies(anomalies)))
    reasons = list(ended)
    missing = len(counted) - measured
    if missing:
        reasons.append(f"{missing} of {len(counted)} samples are missing")
    if was_down:
        names = sorted(was_down)
        reasons.append(
            f"{len(names)} cluster{'s' if len(names) > 1 else ''} did not answer for a while: {', '.join(names)}"
        )
    reasons += _anomalies(anomalies)
    return Judgement("partial" if reasons else "valid", tuple(reasons))


def _anomalies(anomalies: Sequence[Anomaly]) -> list[str]:
    """One sentence per kind of anomaly, with the first as its example."""
    serious = [entry for entry in anomalies if entry.what not in HARMLESS]
    counts = Counter(entry.what for entry in serious)
    first = {entry.what: entry for entry in reversed(serious)}
    said = []
    for what, count in counts.items():
        entry = first[what]
        where = " ".join(part for part in (entry.trial, entry.cluster) if part)
        times = f" ({count} times)" if count > 1 else ""
        said.append(f"{what}{times}: {where + ': ' if where else ''}{entry.text}")
    return said
