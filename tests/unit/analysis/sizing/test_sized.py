"""What is said alongside the figures."""

from __future__ import annotations

from fleet.analysis.sizing.ends import Resource
from fleet.analysis.sizing.estimate import Question
from fleet.analysis.sizing.line import Declared
from fleet.analysis.sizing.observation import Computer
from fleet.analysis.sizing.sized import Model, Sized, size
from tests.unit.analysis.sizing.points import DENSE, point

HERE = Computer(cpu_model="EPYC", cores=2)
GIB = float(1 << 30)


def answer(here: Computer = HERE, toolchain: str = "aa", wecs: int = 100) -> Sized:
    made = [
        point(n, {"memory": n * GIB / 10, "rss.planes": n * GIB / 20}, machine=HERE, toolchain="aa")
        for n in (10, 20, 50)
    ]
    room = [Resource("memory", "memory", "memory", 16 * GIB), Resource("ports", "ports", "ports", 400.0)]
    return size(Model(made, "tests"), Question(DENSE), wecs, {"ports": Declared(0, 3)}, room, here, toolchain)


def test_the_first_end_is_the_smallest_number() -> None:
    found = answer()
    assert [(end.resource.name, end.wecs) for end in found.ends] == [("ports", 133), ("memory", 160)]
    assert (found.runs, found.counts) == (3, (10, 20, 50))
    assert [field.field for field in found.pod] == ["requests.memory"]
    assert found.notes == []


def test_another_machine_and_other_programs_are_told() -> None:
    assert answer(Computer(cpu_model="Xeon", cores=8)).notes == [
        "measured on 2 cores of EPYC; here are 8 of Xeon: CPU, time to build and latencies will differ"
    ]
    assert answer(toolchain="bb").notes == [
        "the fleets ran other builds of the upstream programs than would be built here: measure again"
    ]
    assert answer(toolchain="").notes == []


def test_a_fleet_that_nobody_measured_says_how_to_measure_it() -> None:
    other = Question(DENSE.model_copy(update={"driver": "kind"}))
    found = size(Model([], "tests"), other, 5, {"memory": Declared(0, 2 * GIB)}, [], HERE)
    assert [figure.estimate.value for figure in found.figures] == [10 * GIB]
    assert found.notes[0].startswith("no run of such a fleet is known")
    assert (found.ends, found.pod) == ([], [])
