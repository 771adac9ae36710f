"""What a run of `lifecycle` found besides creation: update and removal, a sample of each object and WEC."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from fleet.analysis.findings import Findings
from fleet.analysis.recorded import Recorded
from fleet.analysis.samples import Sample, with_stage
from fleet.analysis.setting import Setting
from fleet.experiments.lifecycle.marks import STAGES, UPDATE
from fleet.results.events import MarkSeen, Requested
from fleet.results.run import RunRecord

CREATION = "downsync"
"""The stage whose samples are one of each object and WEC; also how long creation took."""
_KEPT = frozenset({"warmup"})
"""Flags that are the trial's, not the stage's."""

Where = tuple[str, str, str]
"""Trial, namespace and name."""


def findings(run: RunRecord, recorded: Recorded, folder: Path) -> Findings:  # noqa: ARG001 - as every experiment's own
    """Samples of `update` and `removal`; creation has those of the manager's own stages."""
    created = [one for one in recorded.join.samples() if one.stage == CREATION and one.cluster]
    samples = [*_samples(created, recorded)]
    refused = Counter(f"{one.op} {one.error}" for one in recorded.requests if one.error)
    worst = ", ".join(f"{what} {count}" for what, count in refused.most_common(3))
    reasons = (
        [f"{sum(refused.values())} requests were not answered as they should be (most: {worst})"] if refused else []
    )
    names = (CREATION, *(stage.name for stage in STAGES))
    return Findings(samples, names, reasons=reasons, said=[*_said([*created, *samples])])


def _samples(created: Sequence[Sample], recorded: Recorded) -> Iterator[Sample]:
    """In the order of the objects, an update before its removal."""
    began: dict[tuple[Where, str], Requested] = {}
    for one in recorded.requests:
        began.setdefault(((one.trial, one.namespace, one.name), one.op), one)
    seen = {((one.trial, one.namespace, one.name), one.cluster, one.mark): one for one in recorded.seen}
    sent = {trial for (trial, _, _), _ in began}
    for sample in created:
        where = (sample.trial, sample.namespace, sample.name)
        if sample.trial not in sent:  # cut off before its first request
            continue
        for stage in STAGES:
            request, end = began.get((where, stage.begin)), seen.get((where, sample.cluster, stage.end))
            yield _sample(sample, stage.name, request, end)


def _sample(of: Sample, stage: str, request: Requested | None, end: MarkSeen | None) -> Sample:
    ends = None if request is None else request.sent_ns, None if end is None else end.ns
    flags = {flag for flag in of.flags if flag in _KEPT}
    if end is not None:
        flags |= {name for name, is_so in (("listed", end.listed and not end.gap), ("gap", end.gap)) if is_so}
    return with_stage(of, stage, ends, flags=flags)


def _said(samples: Sequence[Sample]) -> Iterator[str]:
    """A sentence for each layout at its largest number of WECs."""
    settings: dict[str, Setting] = {}
    for sample in samples:
        known = settings.get(sample.layout)
        if sample.counted and (known is None or sample.setting.order > known.order):
            settings[sample.layout] = sample.setting
    for setting in sorted(settings.values(), key=lambda one: one.order):
        parts = []
        for stage, what in ((CREATION, "a new object"), (UPDATE, "an update"), ("removal", "a deletion")):
            values = [
                s.seconds for s in samples if s.setting == setting and s.stage == stage and s.counted and s.seconds
            ]
            if values:
                parts.append(f"{what} took {median(values):.2f} s (median; slowest {max(values):.2f} s)")
        if parts:
            yield f"At {setting}, until it was in force in a WEC, {', '.join(parts)}."
