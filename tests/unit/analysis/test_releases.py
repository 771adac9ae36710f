from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from fleet.analysis.releases import Entry, changes, history, release_by
from fleet.analysis.study import Study
from fleet.errors import UsageError
from fleet.report.releases import drawings, markdown
from tests.unit.analysis.simulator import Hops
from tests.unit.analysis.test_compare import study
from tests.unit.report.made import run_record


def series(medians: list[float]) -> list[Entry]:
    return [Entry(f"r{n}", f"2026-11-{n + 1:02d}", f"v{n // 5}", value) for n, value in enumerate(medians)]


def made(count: int, factor: float, seed: int) -> list[Entry]:
    """Log medians that spread by 5 %, the second half slower by that factor."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    return series([math.exp(dice.gauss(0, 0.05)) * (factor if n >= count // 2 else 1) for n in range(count)])


def test_a_lasting_change_is_found_where_it_began() -> None:
    (change,) = changes(series([1.0, 1.02, 0.99, 1.01, 1.0, 1.31, 1.29, 1.3, 1.32, 1.3]), 0.1)
    assert (change.run, change.release, change.before, change.after) == ("r5", "v1", 1.0, 1.3)
    assert change.share == pytest.approx(0.3)


def test_one_outlier_a_small_change_and_a_short_series_are_none() -> None:
    steady = [1.0, 1.02, 0.99, 1.01, 1.0, 1.0, 1.01, 0.99]
    assert changes(series([*steady[:4], 3.0, *steady[4:]]), 0.1) == []
    assert changes(series([*steady, *(1.05 * value for value in steady)]), 0.1) == []
    assert changes(series([1.0, 1.0, 1.0, 2.0, 2.0]), 0.1) == []


def test_noise_is_no_change_and_a_slowdown_is_found() -> None:
    assert sum(bool(changes(made(12, 1.0, seed), 0.1)) for seed in range(100)) <= 2
    assert sum(bool(changes(made(12, 1.3, seed), 0.1)) for seed in range(100)) >= 98


def test_versions_share_a_series_and_other_limits_do_not(tmp_path: Path) -> None:
    def run(number: int, **variables: object) -> Study:
        record = run_record(f"2026112{number}T000000Z-0000000{number}", 4)
        fleet = record.fleet.model_copy(update=variables)
        return study(tmp_path / str(number), counts=(4,), seed=number, record=record.with_(fleet=fleet))

    fleet = run_record("x", 4).fleet
    newer = run(2, versions={**fleet.versions, "kubernetes": "v1.35.0"})
    found = history(
        [run(1), newer, run(3, limits={**fleet.limits, "transport_its_qps": 50.0})], release_by("kubernetes"), 0.1
    )  # type: ignore[list-item]
    downsync = [one for one in found if one.stage == "downsync" and one.setting.layout == "one-to-many"]
    assert [[release.name for release in one.releases] for one in downsync] == [["v1.34.4", "v1.35.0"], ["v1.34.4"]]
    assert "No level has changed (a series needs 6 runs)." in markdown(found, ["x: invalid"])
    assert [drawing.caption for drawing in drawings(found)] == ["no change of its level"] * len(drawings(found))
    with pytest.raises(
        UsageError, match=r"--by: the run .* has no version of 'kubernete'; did you mean `kubernetes`\?"
    ):
        release_by("kubernete")(newer)


def test_a_change_is_told_in_markdown(tmp_path: Path) -> None:
    studies = []
    for number in range(6):
        record = run_record(f"2026112{number}T000000Z-0000000{number}", 4)
        record = record.with_(started=f"2026-11-2{number}T00:00:00Z", git="old" if number < 3 else "new")
        hops = Hops(bind=2000 if number < 3 else 4000)
        studies.append(study(tmp_path / str(number), counts=(4,), seed=number, hops=hops, record=record))
    text = markdown(history(studies, release_by("testbed"), 0.1), [])
    assert "- downsync (one-to-many, 4 WECs) slower by +" in text
    assert "since 0.1.0 new, run 20261123T000000Z-00000003" in text
