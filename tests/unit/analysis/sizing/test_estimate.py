"""Figures of a fleet that is not built, from observations made by hand."""

from __future__ import annotations

import pytest

from fleet.analysis.sizing.estimate import DECLARED, FITTED, THEORY, Estimator, Figure, Question
from fleet.analysis.sizing.line import Declared
from fleet.analysis.sizing.observation import Observation
from fleet.analysis.theory import theory_of
from tests.unit.analysis.sizing.points import DENSE, SLOW, point

GIB = 1024.0**3


def named(figures: list[Figure]) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures}


def rests() -> list[Observation]:
    return [point(n, {"memory": (1 + n / 10) * GIB, "memory.planes": n / 10 * GIB}) for n in (10, 20, 50)]


def test_a_figure_is_the_line_and_says_what_it_is_from() -> None:
    figures = named(Estimator(rests(), Question(DENSE)).figures(100))
    memory = figures["memory"]
    assert memory.estimate.value == pytest.approx(11 * GIB)
    assert (memory.origin, memory.points, memory.fleets, memory.beyond) == (FITTED, 3, 3, 50)
    assert figures["memory.planes"].estimate.value == pytest.approx(10 * GIB)
    inside = named(Estimator(rests(), Question(DENSE)).figures(30))
    assert inside["memory"].beyond is None
    below = named(Estimator(rests(), Question(DENSE)).figures(5))
    assert below["memory"].beyond == 10


def test_fleets_of_another_setup_are_not_mixed_in() -> None:
    other = point(100, {"memory": 99 * GIB}, setup=DENSE.model_copy(update={"manager": "none"}))
    made = Estimator([*rests(), other], Question(DENSE))
    assert named(made.figures(100))["memory"].estimate.value == pytest.approx(11 * GIB)
    assert len(made.used) == 3


def test_what_was_not_measured_is_what_is_declared() -> None:
    lines = {"memory": Declared(0, 9), "inotify": Declared(12, 10)}
    figures = named(Estimator(rests(), Question(DENSE), declared=lines).figures(100))
    assert (figures["inotify"].estimate.value, figures["inotify"].origin) == (1012, DECLARED)
    assert figures["memory"].origin == FITTED


def test_the_time_to_build_counts_once_for_a_fleet() -> None:
    # Two runs of the fleet of 10, which took 30 s; 20 took 50 s: a line through two points has no interval.
    made = [point(10, {"build_seconds": 30.0}), point(10, {"build_seconds": 30.0}, run="again")]
    figure = named(Estimator([*made, point(20, {"build_seconds": 50.0})], Question(DENSE)).figures(40))["build_seconds"]
    assert (figure.estimate.value, figure.estimate.low, figure.points) == (90.0, None, 2)


def latencies(limits: dict[str, float], beyond: float) -> list[Observation]:
    """Floors of one policy for all WECs at 5 calls a second, 2 + (2 * ceil(n / 2) - 10) / 5, and so much more."""
    floors = {10: 2.0, 20: 4.0, 50: 10.0}
    return [
        point(n, {"downsync_p50": floor + beyond * n}, "load", layout="one-to-many", objects=1, limits=limits)
        for n, floor in floors.items()
    ]


def test_downsync_is_the_floor_of_the_limits_and_a_line_beyond_it() -> None:
    question = Question(DENSE, SLOW)
    figure = named(Estimator(latencies(SLOW, 0.1), question, theory=theory_of("kubestellar")).figures(100))[
        "downsync_p50.one-to-many"
    ]
    assert figure.estimate.value == pytest.approx(2 + (100 - 10) / 5 + 10)
    assert (figure.origin, figure.beyond) == (THEORY, 50)
    assert figure.text == "down-sync p50, one-to-many, 1 per policy"


def test_other_limits_move_the_floor_and_that_is_said() -> None:
    question = Question(DENSE, {"transport_its_qps": 50.0, "transport_its_burst": 10.0})
    made = Estimator(latencies(SLOW, 0.1), question, theory=theory_of("kubestellar"))
    figure = named(made.figures(100))["downsync_p50.one-to-many"]
    assert figure.estimate.value == pytest.approx(2 + (100 - 10) / 50 + 10)
    assert any(note.startswith("no load was measured at these client limits: down-sync") for note in made.notes())
    unknown = Estimator(latencies(SLOW, 0.1), question)
    assert any("no theory of them is known" in note for note in unknown.notes())


def test_an_estimate_is_never_below_its_floor() -> None:
    made = Estimator(latencies(SLOW, -0.05), Question(DENSE, SLOW), theory=theory_of("kubestellar"))
    assert named(made.figures(100))["downsync_p50.one-to-many"].estimate.value == pytest.approx(20.0)


def test_the_load_that_was_measured_with_most_sizes_is_taken() -> None:
    more = [point(n, {"downsync_p50": 1.0}, "load", layout="one-to-many", objects=7, limits=SLOW) for n in (10, 20)]
    figures = named(Estimator([*latencies(SLOW, 0.1), *more], Question(DENSE, SLOW)).figures(50))
    assert figures["downsync_p50.one-to-many"].text.endswith("1 per policy")


def test_variables_and_programs_that_differ_are_told() -> None:
    made = [
        point(10, {"memory": 1.0}, variables={"dense_shard_size": 5}, toolchain="a"),
        point(20, {"memory": 2.0}, toolchain="b"),
    ]
    notes = Estimator(made, Question(DENSE, variables={"control_plane_debug": True})).notes()
    assert notes == [
        "control_plane_debug: the figures are of fleets with its default, not True",
        "dense_shard_size: the figures are of fleets with 5, its default, not its default",
        "the fleets ran 2 builds of the upstream programs: a line goes through all of them",
    ]
