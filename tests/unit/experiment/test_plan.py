"""Order and size of the trials, the verdict, the lock, the lines that people see."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.errors import FleetError
from fleet.experiment.console import Bars, Plain, choose, remaining
from fleet.experiment.hold import held
from fleet.experiment.plan import TrialPlan, groups
from fleet.experiment.points import trials as made_trials
from fleet.experiments.registry import EXPERIMENTS, load
from fleet.experiments.wec_scaling import WecScaling
from fleet.managers.kubestellar.manager import MANAGER
from fleet.managers.works import holds_run
from fleet.model.experiment_file import Profiles, Timeouts, Workload

WECS = [f"wec{number:03d}" for number in range(1, 6)]


def trials(chosen: WecScaling, wecs: list[str], counts: list[int]) -> list[TrialPlan]:
    experiment = EXPERIMENTS["wec-scaling"]
    return made_trials(experiment.points, chosen, MANAGER, wecs=wecs, counts=counts, sources=["wds1"])


def spec(**fields: Any) -> WecScaling:
    return WecScaling.model_validate({"experiment": "wec-scaling", "repeats": 2, "warmup": 1} | fields)


def test_every_layout_and_count_gets_its_warm_up_and_its_repeats() -> None:
    made = trials(spec(workload={"objects": 3}), WECS, [1, 5])
    assert [trial.id for trial in made] == [f"t{number:03d}" for number in range(12)]
    assert [[trial.repeat for trial in group.trials] for group in groups(made)] == [[-1, 0, 1]] * 4
    assert {(t.layout, t.wecs, t.policies, t.objects, t.copies) for t in made} == {
        ("one-to-one", 1, 1, 3, 3),
        ("one-to-one", 5, 5, 15, 15),
        ("one-to-many", 1, 1, 3, 3),
        ("one-to-many", 5, 1, 3, 15),
    }
    assert all(trial.clusters == tuple(WECS[: trial.wecs]) for trial in made)


def test_the_seed_decides_the_order_and_nothing_else_does() -> None:
    def order(seed: int) -> list[tuple[str, int]]:
        return [(g.trials[0].layout, g.trials[0].wecs) for g in groups(trials(spec(seed=seed), WECS, [1, 2, 3, 5]))]

    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(10)}) > 1
    assert {tuple(sorted(order(seed))) for seed in range(10)} == {tuple(sorted(order(1)))}


def test_the_lock_names_its_holder_and_is_given_back(tmp_path: Path) -> None:
    with held(tmp_path, "the first"):
        assert json.loads((tmp_path / "experiment.holder").read_text())["pid"] == os.getpid()
        with pytest.raises(FleetError, match=rf"the first \(process {os.getpid()}\)"), held(tmp_path, "the second"):
            pass
    with held(tmp_path, "the third"):
        pass
    assert not (tmp_path / "experiment.holder").exists()


def test_a_folder_that_cannot_be_locked_is_named(tmp_path: Path) -> None:
    (tmp_path / "nowhere").write_text("")
    with pytest.raises(FleetError, match="nowhere"), held(tmp_path / "nowhere", "x"):
        pass


def test_the_file_that_users_copy_says_the_defaults() -> None:
    file = Path(__file__).parents[3] / "experiments" / "wec-scaling.yaml"
    written = load(file)
    assert written == WecScaling(experiment="wec-scaling", description=written.description)
    fields = yaml.safe_load(file.read_text())
    assert set(fields) == set(WecScaling.model_fields)
    assert set(fields["workload"]) == set(Workload.model_fields)
    assert set(fields["timeouts"]) == set(Timeouts.model_fields)
    assert set(fields["profiles"]) == set(Profiles.model_fields)


@pytest.mark.parametrize(("run", "expected"), [(None, True), ("r1", True), ("r2", False)])
def test_a_work_is_known_by_the_label_of_what_it_wraps(run: str | None, expected: bool) -> None:
    manifests = [{"metadata": {}}, {"metadata": {"labels": {"fleet-testbed/run": "r1"}}}]
    assert holds_run({"spec": {"workload": {"manifests": manifests}}}, run) is expected
    assert not holds_run({"spec": {}}, run)


def test_what_a_log_shows() -> None:
    now = [0.0]
    stream = io.StringIO()
    lines = Plain(stream, clock=lambda: now[0])
    lines.begin(Path("results/x"), 3)
    lines.trial(1, "one-to-one, 1 WEC, warm-up")
    lines.step("drain")
    lines.marks(1, 9)
    now[0] = 6.0
    lines.marks(5, 9)
    now[0] = 90.0
    lines.trial(2, "one-to-one, 1 WEC, repeat 1")
    lines.note("look")
    lines.end("valid")
    assert stream.getvalue().splitlines() == [
        "3 trials, results in results/x",
        "[1/3] one-to-one, 1 WEC, warm-up",
        "  drain 5/9 done",
        "[2/3] one-to-one, 1 WEC, repeat 1, ETA 3m00s",
        "look",
        "valid",
    ]


@pytest.mark.parametrize(
    ("done", "total", "seconds", "text"),
    [(0, 5, 10, ""), (5, 5, 10, ""), (1, 2, 10, ", ETA 10s"), (1, 3, 60, ", ETA 2m00s")],
)
def test_the_estimate(done: int, total: int, seconds: float, text: str) -> None:
    assert remaining(done, total, seconds) == text


def test_a_file_gets_plain_lines() -> None:
    assert isinstance(choose(io.StringIO()), Plain)


def test_bars_say_what_plain_lines_say() -> None:
    stream = io.StringIO()
    bars = Bars(stream)
    bars.begin(Path("results/x"), 2)
    bars.trial(1, "one-to-one, 1 WEC, warm-up")
    bars.step("drain")
    bars.marks(3, 9)
    bars.note("[bold]look[/bold]")
    bars.end("partial: [1] missing")
    shown = stream.getvalue()
    assert "results in results/x" in shown
    assert "[bold]look[/bold]" in shown
    assert "partial: [1] missing" in shown
