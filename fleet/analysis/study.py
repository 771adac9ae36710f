"""A run folder made into everything that its reports show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.analysis.fidelity import LoadFidelity, fidelity
from fleet.analysis.prediction import Prediction, predictions
from fleet.analysis.quality import Verdict, judge
from fleet.analysis.recorded import Recorded, record
from fleet.analysis.resources import Usage, usages
from fleet.analysis.samples import Sample
from fleet.analysis.summary import Failure, Row, Summary, summarise
from fleet.analysis.thresholds import failures
from fleet.results.folder import EVENTS, RUN, RunFolder
from fleet.results.run import RunRecord


@dataclass(frozen=True)
class Study:
    """One run, analysed."""

    run: RunRecord
    recorded: Recorded
    samples: Sequence[Sample]
    rows: Sequence[Row]
    predictions: Sequence[Prediction]
    usages: Sequence[Usage]
    failures: Sequence[Failure]
    verdict: Verdict
    loads: Sequence[LoadFidelity]
    lost: int
    """Lines of events.jsonl that could not be read."""

    @property
    def summary(self) -> Summary:
        """What summary.json holds."""
        return Summary(
            id=self.run.id,
            experiment=self.run.experiment,
            status=self.verdict.status,
            reasons=list(self.verdict.reasons),
            warnings=list(self.verdict.warnings),
            rows=list(self.rows),
            failures=list(self.failures),
            loads=list(self.loads),
        )


def analyse(folder: RunFolder) -> Study:
    """Read run.json and events.jsonl and nothing else. UsageError when one is missing or of a newer format."""
    modified = [name for name in folder.modified() if name in (RUN, EVENTS)]
    run = folder.read_run()
    reading = folder.events()
    wds = run.fleet.of_role("wds")
    recorded = record(reading, wds=wds[0].name if wds else "wds1", object_timeout=run.spec.timeouts.object)
    samples = recorded.join.samples()
    rows = summarise(samples)
    return Study(
        run=run,
        recorded=recorded,
        samples=samples,
        rows=rows,
        predictions=predictions(recorded, samples, run.fleet.limits),
        usages=usages(recorded),
        failures=failures(run.spec.thresholds, rows),
        verdict=judge(run, recorded, samples, lost=reading.lost, torn=reading.torn, modified=modified),
        loads=fidelity(recorded),
        lost=reading.lost,
    )
