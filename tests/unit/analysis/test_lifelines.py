"""Lines of objects, and samples of them, by hand."""

from __future__ import annotations

from typing import Any

from fleet.analysis.findings import refusals
from fleet.analysis.lifelines import lifelines, samples
from fleet.analysis.recorded import Recorded, record
from fleet.model.manager_record import ManagerRecord
from fleet.model.stage import Stage
from fleet.results.events import ClusterState, Expected, Line, MarkSeen, Requested, TrialPlan

SECOND = 1_000_000_000
STAGES = [
    Stage(name="arrive", begin="due", end="created"),
    Stage(name="run", begin="created", end="running", resource="pods"),
    Stage(name="end", begin="running", end="deleted", resource="pods", optional=True),
]


def trial(name: str, at: int, repeat: int = 0) -> TrialPlan:
    return TrialPlan(
        ns=at * SECOND, wall=0, trial=name, layout="", wecs=1, repeat=repeat, clusters=["c"], kind="", point="n=1"
    )


def seen(name: str, mark: str, at: float, uid: str = "", **fields: Any) -> MarkSeen:
    base = {"cluster": "c", "type": "MODIFIED", "rv": "1", "trial": "t000", "resource": "pods", "namespace": "n"}
    return MarkSeen(ns=round(at * SECOND), wall=0, uid=uid or name, name=name, mark=mark, **{**base, **fields})


def create(name: str, due: float, sent: float, answered: float, error: str = "") -> Requested:
    ns = [round(at * SECOND) for at in (due, sent, answered)]
    return Requested(
        ns=ns[2], wall=0, trial="t000", op="create", cluster="c", due_ns=ns[0], sent_ns=ns[1],
        code=409 if error else 201, error=error, resource="pods", namespace="n", name=name,
    )  # fmt: skip


def read(*lines: Line) -> Recorded:
    return record(lines, ManagerRecord(name="none"), source="c", object_timeout=None)


def rows(*lines: Line) -> list[tuple[str, str, float | None, tuple[str, ...]]]:
    recorded = read(*lines)
    made = samples(lifelines(recorded), STAGES, recorded)
    return [(one.name, one.stage, one.seconds, one.flags) for one in made]


def test_a_line_is_a_request_and_the_marks_of_its_object() -> None:
    found = rows(
        trial("t000", 0), create("a", 1, 1.5, 2), seen("a", "created", 1.75), seen("a", "running", 4),
        seen("a", "running", 9), seen("a", "deleted", 10),
    )  # fmt: skip
    assert found == [("a", "arrive", 0.75, ()), ("a", "run", 2.25, ()), ("a", "end", 6.0, ())]


def test_what_was_refused_has_no_line_and_what_was_made_again_has_two() -> None:
    moments = [
        trial("t000", 0), create("a", 1, 1, 2), seen("a", "created", 2, uid="first"),
        create("a", 3, 3, 4, "Conflict"), create("a", 5, 5, 6),
        seen("a", "deleted", 4.5, uid="first"), seen("a", "created", 7, uid="second"),
    ]  # fmt: skip
    found = lifelines(read(*moments))
    assert [(line.uid, sorted(line.marks)) for line in found] == [
        ("first", ["answered", "created", "deleted", "due", "sent"]),
        ("second", ["answered", "created", "due", "sent"]),
    ]


def test_what_was_expected_and_never_came_is_missing() -> None:
    expected = Expected(ns=0, wall=0, trial="t000", resource="pods", count=3, cluster="c")
    found = rows(trial("t000", 0), expected, seen("a", "created", 1), seen("a", "running", 2), seen("b", "created", 1))
    assert found == [
        ("a", "run", 1.0, ()),
        ("a", "end", None, ("missing",)),
        ("b", "run", None, ("missing",)),
        ("", "run", None, ("missing",)),
    ]


def test_flags_say_what_is_in_doubt() -> None:
    down = [ClusterState(ns=at * SECOND, wall=0, cluster="c", state=state) for at, state in ((3, "down"), (5, "up"))]
    found = rows(
        trial("t000", 0, repeat=-1), *down, seen("a", "created", 1, listed=True), seen("a", "running", 2),
        seen("b", "created", 2), seen("b", "running", 4, gap=True), seen("c", "created", 7), seen("c", "running", 6),
        trial("t001", 8),
    )  # fmt: skip
    flags = {(name, stage): set(flags) - {"warmup", "missing"} for name, stage, _, flags in found}
    assert flags["a", "run"] == {"listed"}
    assert flags["b", "run"] == {"gap", "cluster-down"}
    assert flags["c", "run"] == {"negative"}
    assert all("warmup" in flags for *_, flags in found)


def test_an_attempt_that_another_followed_is_no_refused_object() -> None:
    again = [create("a", 1, 1, 2, "InternalError"), create("a", 1, 3, 4), create("b", 1, 1, 2)]
    assert list(refusals(read(trial("t000", 0), *again))) == []
    lost = [create("c", 1, 1, 2, "InternalError"), create("c", 1, 3, 4, "InternalError")]
    (said,) = refusals(read(trial("t000", 0), *again, *lost))
    assert said == "1 of 3 objects were refused at their creation (most: 409 InternalError 1)"
    twice = create("b", 5, 5, 6, "AlreadyExists")
    (said,) = refusals(read(trial("t000", 0), *again, twice))
    assert said.startswith("1 of 3 objects were refused")
