"""An experiment with a body of its own through the whole frame: run, analysis, report, comparison, and its failures."""

from __future__ import annotations

import csv
import json
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import fleet.experiments
from fleet.analysis.compare import compare
from fleet.analysis.study import analyse
from fleet.cli.console import Ink
from fleet.cli.experiment_view import as_table
from fleet.errors import SpecError, UsageError
from fleet.experiment.definition import EVERYTHING, Needs
from fleet.experiment.own import OwnExperiment, PlannedTrial, repeated
from fleet.experiment.progress import Silent
from fleet.experiment.runner import Outcome, Runner, plan
from fleet.experiment.session import Session
from fleet.managers.manager import Manager
from fleet.model.duration import written
from fleet.model.fleet_file import FleetFile
from fleet.report.exports import FORMATS
from fleet.report.html import page
from fleet.report.render import render
from fleet.results import events
from fleet.results.folder import RunFolder
from tests.unit.experiment.own_body import tiny_marks
from tests.unit.experiment.own_body.tiny_marks.experiment import EXPERIMENT, RESOURCE, TinyMarks
from tests.unit.experiment.plain_fleets import PlainFleet
from tests.unit.experiment.test_runner import Tripwire, faults


@pytest.fixture
def known() -> Iterator[None]:
    """`fleet.experiments` finds the package, as it finds its own."""
    folder = str(Path(tiny_marks.__file__).parents[1])
    fleet.experiments.__path__.append(folder)
    yield
    fleet.experiments.__path__.remove(folder)
    for name in [name for name in sys.modules if name.startswith("fleet.experiments.tiny_marks")]:
        del sys.modules[name]


@pytest.fixture
async def bare(state: Path) -> AsyncIterator[PlainFleet]:
    async with PlainFleet(state, 1) as stand_in:
        yield stand_in


def spec(**fields: Any) -> TinyMarks:
    base = {"experiment": "tiny-marks", "repeats": 2, "warmup": 1, "sample_interval": "1s"}
    return TinyMarks.model_validate(base | fields)


async def run(bare: PlainFleet, chosen: TinyMarks, progress: Any = None) -> Outcome:
    results = bare.folder.parent / "results"
    return await Runner(bare.file(), bare.folder, EXPERIMENT, chosen, results, progress=progress or Silent()).run()


@pytest.mark.usefixtures("known")
async def test_a_run_is_analysed_reported_and_compared(bare: PlainFleet) -> None:
    outcome = await run(bare, spec(counts=[3, 2]))
    folder = RunFolder.open(outcome.folder)
    assert faults(outcome) == []
    assert folder.read_run().driver.watches == 1
    study = analyse(folder)

    assert {(row.stage, row.point, row.count, row.missing) for row in study.rows} == {
        (stage, f"objects={count}", count * 2, 0) for stage in ("seen", "fill", "gone") for count in (2, 3)
    }
    assert [row.stage for row in study.rows][:2] == ["seen", "seen"]
    first = next(line for line in folder.events() if isinstance(line, events.MarkSeen) and line.mark == "filled")
    assert (first.resource, first.name, first.data, first.trial) == (RESOURCE, "t000-0", "t000-0", "t000")
    measured, ops = study.own.tables
    assert [row for row in measured.rows if row[2] == "objects=3"] == [
        ["objects", "1", "objects=3", "phase=steady", 2, 3.0, 3.0, 3.0]
    ]
    assert ops.rows == [["ops.txt", 2]]

    render(folder)
    text = page(study)
    assert '<svg id="tiny"></svg>' in text
    assert "Objects &amp; ops" in text
    assert "drawn &lt;here&gt;" in text
    summary = json.loads((folder.path / "summary.json").read_text())
    assert [table["name"] for table in summary["tables"]] == ["measured", "ops"]
    assert summary["findings"][0] == "=the objects came"
    rows = list(csv.reader((folder.path / "ops.csv").read_text().splitlines()))
    assert rows == [["file", "objects (1)"], ["ops.txt", "2"]]
    assert "raw/ops.txt" in (folder.path / "MANIFEST.sha256").read_text()
    (folder.path / "raw" / "ops.txt").write_text("9\n")
    assert "raw/ops.txt" in folder.modified()

    for name, reporter in FORMATS.items():
        if name != "pyroscope":  # refuses a run without profiles
            assert reporter.files(study), name

    assert TinyMarks.model_validate(written(study.run.spec)) == spec(counts=[3, 2])  # the page's experiment.yaml

    again = compare(study, study)
    assert again.headline == ("seen", "fill", "gone")
    assert {cell.stage for cell in again.cells} == {"seen", "fill", "gone"}
    assert again.outcome in ("no difference", "too few to tell")


async def test_without_its_package_a_run_is_still_reported(bare: PlainFleet) -> None:
    outcome = await run(bare, spec(warmup=0))
    study = analyse(RunFolder.open(outcome.folder))
    assert [table.name for table in study.own.tables] == ["measured"]
    assert {row.stage for row in study.rows} == {"seen", "fill", "gone"}
    assert "What was measured" in page(study)


async def test_what_never_reaches_a_mark_is_missing_and_what_was_refused_is_said(bare: PlainFleet) -> None:
    outcome = await run(bare, spec(counts=[3], lost=1, refused=True, warmup=0, repeats=1))
    rows = {row.stage: row for row in analyse(RunFolder.open(outcome.folder)).rows}

    assert outcome.verdict == "partial"
    assert (rows["seen"].count, rows["seen"].missing) == (3, 0)
    assert (rows["fill"].count, rows["fill"].missing) == (2, 1)
    assert (rows["gone"].count, rows["gone"].missing) == (2, 0)  # optional: the lost one never began it
    assert any(why.startswith("1 of 8 samples are missing (most: fill 1)") for why in outcome.reasons)
    assert any(why.startswith("1 of 4 objects were refused at their creation (most: 409") for why in outcome.reasons)


async def test_a_signal_keeps_what_was_measured_and_cleans(bare: PlainFleet) -> None:
    wire = Tripwire("drain", lambda: signal.raise_signal(signal.SIGINT), trial=2)
    outcome = await run(bare, spec(warmup=0, repeats=3), wire)

    assert outcome.exit_code == 130
    assert outcome.verdict == "partial"
    assert outcome.reasons[0] == "interrupted by SIGINT"
    seen = {sample.trial for sample in analyse(RunFolder.open(outcome.folder)).samples if sample.seconds is not None}
    assert "t000" in seen
    assert bare.leftovers() == []


async def test_a_body_that_fails_ends_the_run_with_its_reason(bare: PlainFleet) -> None:
    def refuse() -> None:
        bare.wecs["wec001"].fail.only = "namespaces"
        bare.wecs["wec001"].fail.status_403 = 1

    outcome = await run(bare, spec(), Tripwire("prepare", refuse, trial=0))
    assert outcome.exit_code == 4
    assert any(why.startswith("ended early: wec001: ") for why in outcome.reasons), outcome.reasons
    assert "no counted sample was measured" in outcome.reasons


def test_its_plan_is_a_row_per_trial_and_its_thresholds_are_about_its_stages(tmp_path: Path) -> None:
    file = PlainFleet(tmp_path, 1).file()
    table = EXPERIMENT.table(plan(file, EXPERIMENT, spec(warmup=0, thresholds=[{"stage": "fill", "test": "p50 < 9s"}])))
    text = as_table(table, "none", {"none": ""}, Ink(False))
    assert table.rows[1] == ("t001", "objects=2", "2", "1", "")
    assert "2 trials" in text
    with pytest.raises(SpecError, match=r"thresholds.0.stage: 'fil' is no stage.*fill"):
        plan(file, EXPERIMENT, spec(thresholds=[{"stage": "fil", "test": "p50 < 9s"}]))
    with pytest.raises(UsageError, match="no cluster"):
        plan(file.model_copy(update={"clusters": []}), EXPERIMENT, spec())


class Later(OwnExperiment[TinyMarks]):
    """Opens no client at first, then those of the fleet, then those of another one."""

    name = "tiny-marks"
    file = TinyMarks

    def plan(self, spec: TinyMarks, fleet: FleetFile, manager: Manager) -> Sequence[PlannedTrial]:  # noqa: ARG002
        return repeated(spec, ["fleet=one", "fleet=two"])

    def needs(self, spec: TinyMarks, fleet: FleetFile, trials: Sequence[PlannedTrial]) -> Needs:  # noqa: ARG002
        return Needs()

    async def run(self, session: Session, trials: Sequence[PlannedTrial]) -> None:
        assert session.spaces.all() == ()
        await session.clients.open(session.fleet, EVERYTHING)
        for number, trial in enumerate(trials):
            if number:
                other = session.fleet.model_copy(update={"clusters": session.fleet.clusters[:1]})
                await session.adopt(other, EVERYTHING)
            async with session.trial(trial), session.disturbed(trial):
                session.measured("clusters", len(session.spaces.wecs), "1", trial=trial.id)


async def test_clients_are_opened_when_the_body_says_so_and_the_fleet_may_become_another(
    tmp_path: Path, state: Path
) -> None:
    async with PlainFleet(state, 2) as two:
        chosen = spec(warmup=0, repeats=1)
        outcome = await Runner(two.file(), state, Later(), chosen, tmp_path / "results", progress=Silent()).run()
    folder = RunFolder.open(outcome.folder)
    assert outcome.reasons == ()  # quantities need no sample, and a late loop harms none
    assert [line.value for line in folder.events() if isinstance(line, events.Measured)] == [2.0, 1.0]
    kept = FleetFile.model_validate_json((folder.path / "raw" / "fleet-2.json").read_text())
    assert len(kept.wecs()) == 1
    assert len(folder.read_run().fleet.wecs()) == 2


@pytest.mark.usefixtures("known")
async def test_an_analysis_that_fails_does_not_cost_the_record(bare: PlainFleet) -> None:
    def spoil() -> None:
        (folder,) = (bare.folder.parent / "results" / "tiny-marks").iterdir()
        (folder / "raw" / "ops.txt").write_text("no number")

    outcome = await run(bare, spec(warmup=0, repeats=1), Tripwire("clean", spoil))
    assert outcome.verdict == "invalid"
    assert any(why.startswith("the analysis of tiny-marks failed: ValueError: ") for why in outcome.reasons)
    assert RunFolder.open(outcome.folder).read_run().status == "invalid"
