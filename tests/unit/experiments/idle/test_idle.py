"""The experiment idle: what it refuses, what it measures, and its tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from fleet.analysis.join import Join
from fleet.analysis.recorded import Recorded
from fleet.errors import SpecError, UsageError
from fleet.experiment.definition import EVERYTHING, Needs
from fleet.experiments.idle import analysis
from fleet.experiments.idle.experiment import EXPERIMENT, IdleFile, ports_of
from fleet.host.ports import Registry
from fleet.host.process_stats import weigh_pid
from fleet.managers import registry
from fleet.model.experiment_file import Profiles
from fleet.model.fleet_file import FleetFile, Machine
from fleet.model.manager_record import ManagerRecord
from fleet.results.events import Anomaly, Measured, TrialPlan
from fleet.results.folder import RunFolder
from tests.unit.model.fleets import document

REFERENCE = Path(__file__).parents[4] / "results" / "wec-scaling" / "reference"
GIB = 1024.0**3


@pytest.fixture
def fleet(tmp_path: Path) -> FleetFile:
    return FleetFile.model_validate(document(tmp_path / "demo"))


def test_a_trial_is_a_window_and_opens_no_client(fleet: FleetFile) -> None:
    spec = IdleFile(experiment="idle", repeats=2, warmup=1)
    trials = EXPERIMENT.plan(spec, fleet, registry.of(fleet))
    assert [trial.repeat for trial in trials] == [-1, 0, 1]
    needs = EXPERIMENT.needs(spec, fleet, trials)
    assert needs == Needs()
    assert needs != EVERYTHING


@pytest.mark.parametrize("change", ["during", "profiles"])
def test_what_is_no_rest_is_refused(fleet: FleetFile, change: str) -> None:
    spec = IdleFile(experiment="idle")
    wrong = {
        "during": spec.model_copy(update={"during": [object()]}),
        "profiles": spec.model_copy(update={"profiles": Profiles(enabled=True)}),
    }[change]
    with pytest.raises(SpecError, match=change):
        EXPERIMENT.plan(wrong, fleet, registry.of(fleet))


def test_a_fleet_on_another_machine_cannot_be_weighed(fleet: FleetFile) -> None:
    away = Machine(name="m2", connection="ssh", address="10.0.0.2", state_dir="/x")
    wide = fleet.model_copy(update={"machines": [*fleet.machines, away]})
    with pytest.raises(UsageError, match="machine m2 is another one"):
        EXPERIMENT.plan(IdleFile(experiment="idle"), wide, registry.of(fleet))


def test_ports_are_those_that_the_registry_holds_for_the_fleet(fleet: FleetFile, tmp_path: Path) -> None:
    ports = Registry(tmp_path)
    ports.take("demo", "wec001", 3)
    ports.take("other", "wec001", 5)
    here = Machine(name="localhost", state_dir=str(tmp_path / "demo"))
    assert ports_of(fleet.model_copy(update={"machines": [here]})) == 3


def test_the_peak_of_a_process_is_not_below_its_memory() -> None:
    with subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=PIPE, stdout=PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()  # it is up
        weight = weigh_pid("child", child.pid)
    assert weight is not None
    assert weight.peak_rss >= weight.rss > 0


def recorded(*restless: Anomaly) -> Recorded:
    """One window of two programs."""
    made = Recorded(Join(ManagerRecord(name="none"), source="", object_timeout=None))
    made.add(TrialPlan(ns=1, wall=1, trial="t0", layout="", wecs=0, repeat=0, clusters=[], kind="", point=""))
    for component, cluster, memory, cpu in (("dense", "", 2 * GIB, 0.25), ("kwok", "wec001", GIB, 0.125)):
        of = {"machine": "localhost", "program": f"{component}.0", "component": component, "cluster": cluster}
        for name, value in (("pss", memory), ("cpu", cpu)):
            made.add(Measured(ns=2, wall=2, trial="t0", name=name, value=value, unit=analysis.UNITS[name], of=of))
    for one in restless:
        made.add(one)
    return made


def test_its_tables_and_its_answer() -> None:
    run = RunFolder.open(REFERENCE).read_run()
    found = analysis.findings(run, recorded(), Path())
    parts, by_program = found.tables
    assert [row[:4] for row in parts.rows] == [
        ["t0", "WECs", 0.25, 2 * GIB], ["t0", "nodes", 0.125, GIB], ["t0", "total", 0.375, 3 * GIB]
    ]  # fmt: skip
    assert [row[1] for row in by_program.rows] == ["dense.0", "kwok.0"]
    assert found.said == ["at rest, 100 WECs with all that belongs to them take 3.00 GiB (PSS) and 0.375 cores"]
    assert not found.reasons


def test_a_program_that_was_started_meanwhile_makes_it_partial() -> None:
    run = RunFolder.open(REFERENCE).read_run()
    restless = Anomaly(ns=3, wall=3, what="restarted", text="kwok.wec001 on localhost was started in the window")
    found = analysis.findings(run, recorded(restless), Path())
    assert list(found.reasons) == ["the fleet did not rest: kwok.wec001 on localhost was started in the window"]
