from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fleet.analysis.comparable import differences
from fleet.analysis.compare import Comparison, compare
from fleet.analysis.quality import Verdict
from fleet.analysis.study import Study, analyse
from fleet.results.folder import RunFolder
from fleet.results.run import RunRecord
from tests.unit.analysis.simulator import Hops, Simulator
from tests.unit.report.made import run_record, write_run


def study(
    root: Path,
    *,
    seed: int = 1,
    hops: Hops | None = None,
    counts: tuple[int, ...] = (10,),
    lost: frozenset[str] = frozenset(),
    repeats: int = 3,
    record: RunRecord | None = None,
) -> Study:
    """A simulated run of both layouts, analysed."""
    sim = Simulator(seed=seed, hops=hops)
    for count in counts:
        wecs = [f"wec{number:03d}" for number in range(1, count + 1)]
        for layout in ("one-to-one", "one-to-many"):
            for repeat in range(-1, repeats):
                sim.trial(layout, wecs, repeat=repeat, lost=lost)
    return analyse(write_run(root, sim.out.ordered(), record, wecs=max(counts)))


def outcomes(found: Comparison) -> dict[tuple[str, str, int], str]:
    return {(cell.stage, cell.layout, cell.wecs): cell.outcome for cell in found.cells}


def test_two_runs_of_a_kind_do_not_differ(tmp_path: Path) -> None:
    found = compare(study(tmp_path / "a"), study(tmp_path / "b", seed=2))
    assert (found.outcome, found.differences) == ("no difference", [])
    assert outcomes(found)["downsync", "one-to-one", 10] == "no difference"
    assert all(cell.outcome != "worse" for cell in found.cells)


def test_slower_is_worse_and_the_other_way_round_better(tmp_path: Path) -> None:
    fast = study(tmp_path / "a", hops=Hops(per_wec=10))
    slow = study(tmp_path / "b", hops=Hops(per_wec=1000), seed=2)
    found = compare(fast, slow)
    assert found.outcome == "worse"
    cell = next(c for c in found.cells if (c.stage, c.layout) == ("downsync", "one-to-many"))
    assert cell.shift is not None
    assert cell.relative is not None
    assert cell.p is not None
    assert cell.shift.low < cell.shift.estimate < cell.shift.high
    assert cell.tail is not None
    assert cell.tail > 1
    assert "downsync (one-to-many, 10 WECs) is worse: p90 moved by +" in " ".join(found.reasons)
    assert compare(slow, fast).outcome == "better"
    assert compare(fast, slow, threshold=50).outcome != "worse"


def test_a_shift_of_everything_is_told_by_the_middle(tmp_path: Path) -> None:
    found = compare(study(tmp_path / "a"), study(tmp_path / "b", hops=Hops(bind=4000), seed=2))
    cell = next(c for c in found.cells if (c.stage, c.layout) == ("downsync", "one-to-one"))
    assert cell.shift is not None
    assert cell.shift.low < 1.9 < cell.shift.high
    assert "downsync (one-to-one, 10 WECs) is worse: moved by +" in found.reasons[0]


def test_an_effect_below_the_threshold_is_no_difference_however_sure(tmp_path: Path) -> None:
    a = study(tmp_path / "a", repeats=10, hops=Hops(per_wec=0, jitter=1))
    b = study(tmp_path / "b", repeats=10, hops=Hops(per_wec=0, jitter=1, bind=2150))
    found = compare(a, b)
    cell = next(c for c in found.cells if (c.stage, c.layout) == ("downsync", "one-to-one"))
    assert cell.p is not None
    assert cell.p < 0.001
    assert (cell.outcome, found.outcome) == ("no difference", "no difference")
    assert compare(a, b, threshold=0.01).outcome == "worse"


def test_too_few_samples_are_said_to_be_too_few(tmp_path: Path) -> None:
    a = study(tmp_path / "a", counts=(1,), hops=Hops(bind=2000))
    b = study(tmp_path / "b", counts=(1,), hops=Hops(bind=9000))
    found = compare(a, b)
    assert found.outcome == "too few to tell"
    assert {cell.reason for cell in found.cells} == {"3 and 3 samples; 5 on each side are needed"}


def test_a_run_that_loses_objects_is_worse_although_the_rest_came_as_fast(tmp_path: Path) -> None:
    whole = study(tmp_path / "a")
    lossy = study(tmp_path / "b", lost=frozenset({"wec003", "wec007", "wec009"}))
    found = compare(whole, lossy)
    assert found.outcome == "worse"
    assert outcomes(found)["downsync", "one-to-one", 10] == "worse"
    assert "missing: 0 of 30 in A, 9 of 30 in B" in " ".join(found.reasons)
    assert compare(lossy, whole).outcome == "better"


def with_record(folder: RunFolder, record: RunRecord) -> Study:
    folder.write_run(record)
    return analyse(folder)


def test_what_blocks_and_what_is_only_listed(tmp_path: Path) -> None:
    base = study(tmp_path / "a")
    other = RunFolder(tmp_path / "b" / "wec-scaling" / study(tmp_path / "b").run.id)
    record = run_record(other.id, 10)
    fleet = record.fleet
    changed = record.with_(
        git="fedcba",
        seed=2,
        machine=record.machine.model_copy(update={"kernel": "6.2.0", "pressure": {"cpu": 80.0, "io": 0.4}}),
        spec=record.spec.model_copy(
            update={"quiet": 7.0, "workload": record.spec.workload.model_copy(update={"pods": 3})}
        ),
        fleet=fleet.model_copy(
            update={
                "limits": {**fleet.limits, "transport_its_qps": 1000.0},
                "node_simulator": "hollow",
                "versions": {**fleet.versions, "ocm": "v1.3.0"},
                "components": [
                    fleet.components[0].model_copy(
                        update={"argv": ["x", "--flag=2", "--port=45001", "--dir=/some/where"]}
                    ),
                    *fleet.components[1:],
                ],
            }
        ),
    )
    found = differences(base, with_record(other, changed))
    assert [(d.field, d.a, d.b) for d in found if d.blocks] == [
        ("machine.kernel", "6.1.0", "6.2.0"),
        ("fleet.versions.ocm", "v1.2.0", "v1.3.0"),
        ("spec.workload.pods", "1", "3"),
    ]
    assert [(d.field, d.a, d.b) for d in found if not d.blocks] == [
        ("run.git", "0123456789ab", "fedcba"),
        ("machine.pressure.cpu", "12.5 %", "80.0 %"),
        ("spec.quiet", "5.0", "7.0"),
        ("fleet.limits.transport_its_qps", "5.0", "1000.0"),
        ("fleet.node_simulator", "kwok", "hollow"),
        ("flags of kube-apiserver", "--flag=1", "--flag=2"),
    ]


def test_unlike_runs_are_not_compared_unless_forced(tmp_path: Path) -> None:
    a, b = study(tmp_path / "a"), study(tmp_path / "b", counts=(5, 10))
    refused = compare(a, b)
    assert (refused.outcome, refused.cells, refused.forced) == ("not comparable", (), False)
    assert refused.reasons == ["the runs differ in WEC counts that ran; --force compares them all the same"]
    forced = compare(a, b, force=True)
    assert (forced.outcome, forced.forced) == ("no difference", True)
    assert outcomes(forced)["downsync", "one-to-one", 5] == "not comparable"
    assert forced.reasons[-1] == "compared by force although the runs differ in WEC counts that ran"


def test_runs_without_a_sample_in_common_are_not_comparable(tmp_path: Path) -> None:
    a, b = study(tmp_path / "a", counts=(5,)), study(tmp_path / "b", counts=(10,))
    found = compare(a, b, force=True)
    assert found.outcome == "not comparable"
    assert "no cell" not in str(found.cells)


def test_an_invalid_run_blocks(tmp_path: Path) -> None:
    good = study(tmp_path / "a")
    broken = replace(study(tmp_path / "b"), verdict=Verdict("invalid", ("nothing had settled",)))
    assert compare(good, broken).outcome == "not comparable"
    assert compare(broken, broken).outcome == "not comparable"
