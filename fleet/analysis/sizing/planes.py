"""What control planes alone took in a run of the experiment density: kplane's four numbers for a pod, by sequence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fleet.analysis.recorded import Recorded
from fleet.analysis.setting import values
from fleet.analysis.sizing.rest import Values

STEADY, BOOTSTRAP, AFTER = "steady", "bootstrap", "post-bootstrap"
BESIDE = frozenset({"client", "total", "supervisord"})
"""Components that are no part of a control plane: the load client, sums, the supervisor."""
SUMMED = {(STEADY, "rss"): "rss", (STEADY, "pss"): "memory", (STEADY, "cpu_mean"): "idle_cpu"}
"""Summed over the programs."""
PEAKS = (BOOTSTRAP, AFTER)
"""Phases of a cold start: kplane takes its limit of memory from the second."""


def sequences(recorded: Recorded) -> Iterator[tuple[int, Values]]:
    """Control planes and values (`name.planes`) of each counted sequence that came to its steady phase."""
    counts = {p.trial: values(p.point).get("clusters") for p in recorded.trials if p.repeat >= 0}
    sums: defaultdict[str, Values] = defaultdict(lambda: defaultdict(float))
    peaks: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for one in recorded.measured:
        phase, component, program = (one.of.get(key, "") for key in ("phase", "component", "program"))
        if counts.get(one.trial) is None or not phase:
            continue
        if one.name == "cpu_peak" and phase == BOOTSTRAP and component == "total":
            sums[one.trial]["cpu_peak.planes"] = one.value
        elif component not in BESIDE and (phase, one.name) in SUMMED:
            sums[one.trial][f"{SUMMED[phase, one.name]}.planes"] += one.value
        elif component not in BESIDE and one.name == "peak_rss" and phase in PEAKS:
            peaks[one.trial][program] = max(one.value, peaks[one.trial].get(program, 0.0))
    for trial, found in sums.items():
        if "rss.planes" in found:
            known = {"peak_rss.planes": sum(peaks[trial].values())} if peaks[trial] else {}
            yield round(counts[trial] or 0.0), {**found, **known}
