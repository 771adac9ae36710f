"""The checker over many trials: what it says is the same, and it does not keep what nobody needs any more."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from fleet.analysis.checker.backwards import Backwards
from fleet.analysis.checker.check import Checked, Checker
from fleet.analysis.checker.status_owner import StatusOwner
from fleet.analysis.checker.watch_order import WatchOrder
from fleet.analysis.history import History
from fleet.results.events import HopSeen, Line, RunMark, WorkloadSeen
from fleet.results.format1_manager import MANAGER
from tests.unit.analysis.simulator import Simulator

WECS = [f"wec{number:03d}" for number in range(1, 5)]


def cleaned(trials: int) -> list[Line]:
    """That many trials of two objects, each cleaned up behind itself."""
    sim = Simulator()
    for _ in range(trials):
        trial = sim.trial("one-to-many", WECS, objects=2, lost=frozenset(WECS[:1]))
        sim.out.lines.append(("driver", RunMark(ns=sim.now, wall=0, step="drain", edge="end", trial=trial)))
        sim.clean(trial)
    return sim.out.ordered()


def fed(lines: Sequence[Line]) -> Checker:
    checker = Checker(History.of(MANAGER, "wds1", 600.0, 60.0))
    for number, line in enumerate(lines, start=1):
        checker.feed(number, line)
    return checker


def checked(lines: Sequence[Line], *, past: bool = True) -> Checked:
    """`past=False`: without the marks by which a trial is known to be past, and with the numbers of the lines kept."""
    checker = Checker(History.of(MANAGER, "wds1", 600.0, 60.0))
    for number, line in enumerate(lines, start=1):
        if past or not (isinstance(line, RunMark) and (line.step, line.edge) == ("clean", "end")):
            checker.feed(number, line)
    return checker.checked()


def disturbed(lines: Sequence[Line], trial: str) -> list[Line]:
    """An object of that trial is made twice in a WEC, one falls back to an older version, and a status is reported that
    nobody had."""
    changed: list[Line] = []
    for line in lines:
        match line:
            case WorkloadSeen(cluster="wec002", type="MODIFIED") if line.op == f"op-{trial}-all-000":
                line = replace(line, uid=f"{line.uid}-again") if line.status and len(changed) % 2 else line  # noqa: PLW2901
            case HopSeen(hop="reported", type="MODIFIED") if line.uid == f"ws-op-{trial}-all-001-wec003":
                fact = replace(line.facts[0], status={"phase": "Lost"})
                line = replace(line, facts=[fact])  # noqa: PLW2901
            case HopSeen(hop="packaged", type="MODIFIED") if line.uid == f"mw-op-{trial}-all-000-wec004":
                line = replace(line, version=1)  # noqa: PLW2901
            case _:
                pass
        changed.append(line)
    return changed


def test_findings_about_past_trials_are_those_that_were_always_made() -> None:
    lines = disturbed(disturbed(cleaned(6), "t001"), "t005")
    found, all_kept = checked(lines), checked(lines, past=False)
    assert found.findings == all_kept.findings
    assert {"lost", "once", "backwards", "status-owner"} <= {one.rule for one in found.findings}
    assert {one.trial for one in found.findings if one.rule == "status-owner"} == {"t001", "t005"}
    assert (found.objects, found.pairs) == (12, 48)


def test_a_copy_that_comes_back_after_its_trial_is_past_is_found() -> None:
    lines = cleaned(4)
    old = next(one for one in lines if isinstance(one, WorkloadSeen) and one.cluster == "wec002")
    back = replace(old, ns=lines[-1].ns, rv="99999", uid="another")
    (found,) = (one for one in checked([*lines, back]).findings if one.rule == "deleted")
    assert (found.trial, found.cluster) == ("t000", "wec002")
    assert checked([*lines, back]).findings == checked([*lines, back], past=False).findings


def test_what_is_held_is_of_the_last_trials() -> None:
    def held(checker: Checker) -> list[int]:
        rules = {type(rule): rule for rule in checker._rules}
        known, newest, owner = rules[WatchOrder], rules[Backwards], rules[StatusOwner]
        assert isinstance(known, WatchOrder)
        assert isinstance(newest, Backwards)
        assert isinstance(owner, StatusOwner)
        history = checker.history
        return [
            len(known._known), len(newest._newest), len(owner._had), len(owner._given), len(owner._reports),
            len(history._places), len(history._ops),
        ]  # fmt: skip

    assert held(fed(cleaned(9))) == held(fed(cleaned(5)))
