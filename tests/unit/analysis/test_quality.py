"""The verdict: each thing that can go wrong, and what it makes of the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest

from fleet.analysis.quality import Verdict, judge
from fleet.analysis.recorded import record
from fleet.analysis.samples import Sample
from fleet.analysis.setting import Setting
from fleet.results.events import Anomaly, ClusterState, GapSeen, Line, TrialPlan, WorkloadSeen
from fleet.results.format1_manager import MANAGER
from fleet.results.run import DriverFacts, Ending, Status
from tests.unit.analysis.simulator import MS, START_NS, Simulator
from tests.unit.report.made import run_record

WECS = ["wec001", "wec002"]


def lines_of(*, lost: frozenset[str] = frozenset()) -> list[Line]:
    sim = Simulator()
    sim.trial("one-to-many", WECS, lost=lost)
    return sim.out.ordered()


def verdict(lines: Sequence[Line], *, status: Status = "valid", **changes: object) -> Verdict:
    recorded = record(lines, MANAGER, source="wds1", object_timeout=600)
    return judge(run_record("x", 2, status=status, **changes), recorded, recorded.join.samples())


def test_a_clean_run_is_valid() -> None:
    assert verdict(lines_of()) == Verdict("valid")
    assert verdict(lines_of()).exit_code == 0


def test_what_is_not_weighed_is_a_warning() -> None:
    fleet = run_record("x", 2).fleet
    existing = [cluster.model_copy(update={"driver": "existing"}) for cluster in fleet.clusters]
    made = verdict(lines_of(), fleet=fleet.model_copy(update={"clusters": existing}))
    assert made.status == "valid"
    assert made.warnings[0].startswith(f"CPU and memory of programs of {len(existing)} existing clusters are missing")
    assert existing


def test_missing_samples_make_it_partial_and_are_counted() -> None:
    made = verdict(lines_of(lost=frozenset({"wec002"})))
    assert made.status == "partial"
    assert made.exit_code == 4
    # 6 stages of the WEC, and downsync_last, downsync_spread, finalization, status, e2e of the object
    assert made.reasons[0].startswith("11 of 18 samples are missing")


def test_nothing_measured_is_invalid() -> None:
    only_plans = [line for line in lines_of() if line.ns == START_NS]
    assert any(isinstance(line, TrialPlan) for line in only_plans)
    assert verdict(only_plans).status == "invalid"
    assert verdict([]).reasons == ("no counted sample was measured",)


def down(at: int) -> list[Line]:
    return [
        ClusterState(ns=at, wall=0, cluster="wec001", state="down"),
        ClusterState(ns=at + MS, wall=0, cluster="wec001", state="up"),
    ]


def test_a_wec_that_was_down_counts_if_a_sample_was_under_way() -> None:
    hit = verdict([*lines_of(), *down(START_NS + 500 * MS)])
    assert hit.status == "partial"
    assert "wec001" in hit.reasons[0]
    before = verdict([*down(START_NS - 500 * MS), *lines_of()])
    assert before.status == "valid"
    assert "no counted sample overlaps" in before.warnings[0]


def test_gaps_count_if_an_end_lies_in_one() -> None:
    gap = GapSeen(ns=START_NS, wall=0, cluster="wec001", resource="deployments", start_ns=START_NS - MS, reason="cut")
    assert verdict([*lines_of(), gap]).status == "valid"

    def blind(line: Line) -> Line:
        if isinstance(line, WorkloadSeen) and line.cluster == "wec001":
            return WorkloadSeen(**{f: getattr(line, f) for f in line.__struct_fields__} | {"gap": True})
        return line

    assert "inside one" in verdict([gap, *map(blind, lines_of())]).reasons[0]


@pytest.mark.parametrize(
    ("what", "status"),
    [("not-settled", "invalid"), ("send-failed", "partial"), ("not-clean", "partial"), ("metrics", "valid"),
     ("incomplete", "valid")],
)  # fmt: skip
def test_anomalies(what: str, status: str) -> None:
    anomaly = Anomaly(ns=START_NS, wall=0, what=what, trial="t000", text="so it was")
    made = verdict([*lines_of(), anomaly, anomaly])
    assert made.status == status
    said = [*made.reasons, *made.warnings]
    assert [f"{what} (2 times, the first: t000) so it was"] == said if what != "incomplete" else not said


@pytest.mark.parametrize(("count", "said"), [(1, "metrics so it was"), (3, "metrics (3 times) so it was")])
def test_an_anomaly_of_no_place_names_none(count: int, said: str) -> None:
    anomaly = Anomaly(ns=START_NS, wall=0, what="metrics", text="so it was")
    assert said in verdict([*lines_of(), *[anomaly] * count]).warnings


@pytest.mark.parametrize(
    ("lag", "status", "words"),
    [(0.004, "valid", ""), (0.020, "valid", "upper bounds"), (0.2, "partial", "harness-bound")],
)
def test_a_late_driver(lag: float, status: str, words: str) -> None:
    """Downsync is about 2.2 s, of which 2 % are 44 ms."""
    made = verdict(lines_of(), driver=DriverFacts(loop_lag_p99=lag))
    assert made.status == status
    assert words in " ".join([*made.reasons, *made.warnings])


def later(by: int) -> Callable[[Line], Line]:
    def change(line: Line) -> Line:
        if getattr(line, "hop", "") != "delivered":
            return line
        return type(line)(**{f: getattr(line, f) for f in line.__struct_fields__} | {"ns": line.ns + by})

    return change


def test_watches_that_raced_by_little_are_a_warning_by_much_a_reason() -> None:
    assert verdict(list(map(later(60 * MS), lines_of()))).status == "valid"
    assert "ended before the start" in verdict(list(map(later(60 * MS), lines_of()))).warnings[0]
    assert verdict(list(map(later(400 * MS), lines_of()))).status == "partial"


@pytest.mark.parametrize(
    ("stage", "by", "races", "status"),
    [
        ("report", 0.15, 20, "valid"), ("report", 0.25, 1, "valid"), ("report", 0.25, 2, "partial"),
        ("activation", 0.15, 2, "partial"), ("downsync", 0.15, 1, "partial"),
    ],
)  # fmt: skip
def test_a_race_is_held_against_the_latency_that_its_stage_is_part_of(
    stage: str, by: float, races: int, status: str
) -> None:
    """20 samples a stage, so one may be late: by over 2 % of 10 s end-to-end for `report`, of 1 s downsync else."""
    recorded = record(lines_of(), MANAGER, source="wds1", object_timeout=600)
    one = next(sample for sample in recorded.join.samples() if sample.counted)
    seconds = {"downsync": [1.0] * 20, "e2e": [10.0] * 20, "report": [0.5] * 20, "activation": [0.5] * 20}
    seconds[stage] = [-by] * races + seconds[stage][races:]
    made = [
        msgspec.structs.replace(one, stage=name, seconds=value, flags=())
        for name, values in seconds.items()
        for value in values
    ]
    found = judge(run_record("x", 2).with_(status="valid"), recorded, made)
    assert found.status == status
    assert f"({stage} {races}), by {by * 1e3:.1f} ms at most" in [*found.reasons, *found.warnings][0]


def test_the_cost_of_races_does_not_grow_with_the_samples_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is counted by looks at a sample's setting: a few for each sample, however many raced."""
    recorded = record(lines_of(), MANAGER, source="wds1", object_timeout=600)
    one = next(sample for sample in recorded.join.samples() if sample.counted)
    made = [msgspec.structs.replace(one, stage="downsync", seconds=1.0, flags=())] * 1000
    made += [msgspec.structs.replace(one, stage="report", seconds=-0.04, flags=())] * 1000
    looks = 0
    setting = Sample.setting

    def counting(sample: Sample) -> Setting:
        nonlocal looks
        looks += 1
        return setting.__get__(sample)

    monkeypatch.setattr(Sample, "setting", property(counting))
    assert judge(run_record("x", 2), recorded, made).status == "valid"
    assert 0 < looks <= 5 * len(made)


def test_how_it_ended() -> None:
    died = verdict(lines_of(), status="running")
    assert (died.status, "its driver died" in died.reasons[0]) == ("partial", True)
    stopped = verdict(lines_of(), status="partial", interrupted="SIGINT")
    assert stopped.reasons == ("interrupted by SIGINT",)
    failed = Ending(kind="failed", text="ended early: no space")
    again = verdict(lines_of(), status="partial", reasons=["by a rule of yesterday"], endings=[failed])
    assert again == Verdict("partial", ("ended early: no space",))
    assert verdict(lines_of(), status="partial", reasons=["by a rule of yesterday"], endings=[]) == Verdict("valid")
    assert verdict(lines_of(), driver=DriverFacts(dropped=3)).reasons == ("3 events could not be written",)


def test_lost_lines_and_changed_files() -> None:
    recorded = record(lines_of(), MANAGER, source="wds1", object_timeout=600)
    samples = recorded.join.samples()
    run = run_record("x", 2)
    torn = judge(run, recorded, samples, lost=1, torn=True)
    assert (torn.status, len(torn.warnings)) == ("valid", 1)
    assert judge(run, recorded, samples, lost=3, torn=True).reasons == ("2 lines of events.jsonl cannot be read",)
    assert judge(run, recorded, samples, modified=["run.json"]).warnings[0].startswith("run.json was changed")
