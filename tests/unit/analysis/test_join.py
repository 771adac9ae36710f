"""The join against a simulated fleet whose latencies are known."""

from __future__ import annotations

import random
from typing import TypeGuard

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.analysis.join import Join, Sample
from fleet.results.events import ClusterState, Fact, HopSeen, Line, Planned, RunMark, TrialPlan, WorkloadSeen
from fleet.results.format1_manager import MANAGER
from tests.unit.analysis.simulator import MS, Emitted, Hops, Simulator

WECS = [f"wec{number:03d}" for number in range(1, 5)]

ENDS = {
    "binding": ("created", "bound"),
    "packaging": ("created", "packaged"),
    "delivery": ("packaged", "delivered"),
    "activation": ("delivered", "activated"),
    "downsync": ("created", "activated"),
    "workload": ("activated", "ready"),
    "report": ("ready", "reported"),
}


def joined(lines: list[Line], **options: float) -> Join:
    join = Join(MANAGER, source="wds1", object_timeout=options.get("object_timeout"))
    for line in lines:
        join.feed(line)
    return join


def one(samples: list[Sample], stage: str, **fields: object) -> Sample:
    found = [s for s in samples if s.stage == stage and all(getattr(s, k) == v for k, v in fields.items())]
    assert len(found) == 1, found
    return found[0]


def op_of(sample: Sample) -> str:
    return f"op-{sample.name}"


def check_truth(out: Emitted, samples: list[Sample]) -> int:
    """Every stage of one object in one WEC has the simulator's own stamps; the number that was compared."""
    compared = 0
    for sample in samples:
        if sample.stage not in ENDS:
            continue
        start, end = ENDS[sample.stage]
        own, wec = out.truth[op_of(sample), ""], out.truth.get((op_of(sample), sample.cluster), {})
        marks = {**wec, **own}
        assert (sample.start_ns, sample.end_ns) == (marks[start], marks[end]), sample
        compared += 1
    return compared


@pytest.mark.parametrize("kind", ["deployment", "pod", "configmap"])
@pytest.mark.parametrize("layout", ["one-to-one", "one-to-many"])
def test_every_stage_has_the_true_stamps(kind: str, layout: str) -> None:
    sim = Simulator(kind=kind)
    trial = sim.trial(layout, WECS, objects=2)
    join = joined(sim.out.ordered())
    samples = join.samples()
    assert join.progress(trial).complete
    assert not [s for s in samples if s.flags]
    objects = 8 if layout == "one-to-one" else 2
    per_wec = 4 if kind == "configmap" else 6
    assert check_truth(sim.out, samples) == objects + 8 * per_wec


def test_progress_counts_each_mark() -> None:
    sim = Simulator()
    trial = sim.trial("one-to-many", WECS)
    join = Join(MANAGER, source="wds1")
    assert not join.progress(trial).complete
    seen: list[int] = []
    for line in sim.out.ordered():
        join.feed(line)
        seen.append(sum(join.progress(trial).done.values()))
    progress = join.progress(trial)
    assert progress.total == {
        "created": 1, "bound": 1, "packaged": 4, "delivered": 4, "activated": 4, "ready": 4, "reported": 4,
        "finalized": 1,
    }  # fmt: skip
    assert progress.done == progress.total
    assert seen == sorted(seen)


def test_one_to_many_by_hand() -> None:
    """Two WECs, hops without jitter: every stage from the numbers of `Hops`."""
    hops = Hops(bind=2100, package=20, per_wec=400, free=0, deliver=60, activate=15, ready=1200, report=40, finalize=90)
    sim = Simulator(hops=Hops(**{**hops.__dict__, "jitter": 0}))
    sim.trial("one-to-many", WECS[:2])
    samples = joined(sim.out.ordered()).samples()
    # created is seen 1 ms after the send from which the simulator counts the 2100 ms
    assert one(samples, "binding").seconds == pytest.approx(2.099)
    assert one(samples, "packaging", cluster="wec002").seconds == pytest.approx(2.099 + 0.020 + 0.400)
    assert one(samples, "delivery", cluster="wec001").seconds == pytest.approx(0.060)
    assert one(samples, "activation", cluster="wec001").seconds == pytest.approx(0.015)
    assert one(samples, "downsync", cluster="wec001").seconds == pytest.approx(2.194)
    last = one(samples, "downsync_last")
    assert (last.cluster, last.seconds) == ("wec002", pytest.approx(2.594))
    assert one(samples, "downsync_spread").seconds == pytest.approx(0.400)
    assert one(samples, "workload", cluster="wec002").seconds == pytest.approx(1.2)
    assert one(samples, "report", cluster="wec002").seconds == pytest.approx(0.040)
    assert one(samples, "finalization").seconds == pytest.approx(0.090)
    assert one(samples, "status").seconds == pytest.approx(0.130)
    assert one(samples, "e2e").seconds == pytest.approx(2.594 + 1.2 + 0.130)
    assert not [s for s in samples if s.stage == "e2e_reported"]


def test_server_seconds_come_from_creations_only() -> None:
    sim = Simulator(hops=Hops(jitter=0, free=0))
    sim.trial("one-to-many", WECS[:2])
    samples = joined(sim.out.ordered()).samples()
    assert one(samples, "downsync", cluster="wec001").server_seconds == 2.0
    assert one(samples, "binding").server_seconds is None
    assert one(samples, "report", cluster="wec001").server_seconds is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32),
    kind=st.sampled_from(["deployment", "pod", "configmap"]),
    layout=st.sampled_from(["one-to-one", "one-to-many"]),
)
def test_any_interleaving_of_the_watches_gives_the_same_samples(seed: int, kind: str, layout: str) -> None:
    sim = Simulator(seed=seed % 7, kind=kind)
    first = sim.trial(layout, WECS[:3], objects=2)
    sim.trial(layout, WECS[:3])
    straight = joined(sim.out.ordered())
    shuffled = joined(sim.out.shuffled(random.Random(seed)))  # noqa: S311 - a merge, not a secret
    assert shuffled.samples() == straight.samples()
    assert shuffled.progress(first).complete
    assert shuffled.progress(first) == straight.progress(first)


def test_no_stage_ends_before_it_starts_when_receipts_are_in_order() -> None:
    sim = Simulator(seed=3)
    sim.trial("one-to-many", WECS, objects=3)
    samples = joined(sim.out.ordered()).samples()
    assert all(s.seconds is not None and s.seconds >= 0 for s in samples)


def test_a_lost_wec_leaves_missing_rows() -> None:
    sim = Simulator()
    trial = sim.trial("one-to-many", WECS, lost=frozenset({"wec003"}))
    join = joined(sim.out.ordered())
    samples = join.samples()
    assert not join.progress(trial).complete
    missing = {(s.stage, s.cluster) for s in samples if "missing" in s.flags}
    assert missing == {
        *((stage, "wec003") for stage in ("packaging", "delivery", "activation", "downsync", "workload", "report")),
        *((stage, "") for stage in ("downsync_last", "downsync_spread", "finalization", "status", "e2e")),
    }
    assert all(s.end_ns is None and s.seconds is None for s in samples if "missing" in s.flags)
    progress = join.progress(trial)
    assert (progress.done["activated"], progress.total["activated"]) == (3, 4)


def test_one_wec_in_one_to_many_returns_a_copy() -> None:
    """KubeStellar aggregates over two WECs or more; over one it copies, conditions included."""
    sim = Simulator()
    trial = sim.trial("one-to-many", WECS[:1])
    join = joined(sim.out.ordered())
    assert join.progress(trial).complete
    sample = one(join.samples(), "e2e")
    assert sample.end_ns == sim.out.truth[op_of(sample), ""]["finalized"]


def test_an_aggregate_that_was_there_before_the_last_report_counts_from_that_report() -> None:
    """Identical Deployments give the same smallest values with or without the last WEC."""
    sim = Simulator(hops=Hops(jitter=0, free=0, per_wec=3000))
    sim.trial("one-to-many", WECS[:3])
    lines = [
        line
        for line in sim.out.ordered()
        if not (is_hop(line, "reported") and line.namespace == "wec003" and _early(line))
        and not (isinstance(line, WorkloadSeen) and line.cluster == "wds1" and line.ns > _last_of("wec002", sim))
    ]
    samples = joined(lines).samples()
    final = one(samples, "finalization")
    assert (final.seconds, final.flags) == (0.0, ("already",))
    assert one(samples, "e2e").end_ns == sim.out.truth["op-t000-all-000", "wec003"]["reported"]


def is_hop(line: Line, mark: str) -> TypeGuard[HopSeen]:
    return isinstance(line, HopSeen) and line.hop == mark


def _early(line: HopSeen) -> bool:
    (fact,) = line.facts
    return isinstance(fact.status, dict) and "unavailableReplicas" in fact.status


def _last_of(cluster: str, sim: Simulator) -> int:
    return sim.out.truth["op-t000-all-000", cluster]["reported"] + 90 * MS


def test_links_are_exact() -> None:
    """Another policy's work, another WDS's work, a foreign owner, another ManifestWork's status: none of them joins."""
    sim = Simulator()
    sim.trial("one-to-one", WECS[:1])
    replaced: list[Line] = []
    for line in sim.out.ordered():
        match line:
            case HopSeen(hop="packaged"):
                for change in ({"policy": "other"}, {"source": "wds2"}, {"version": 1}):
                    gives = [("work", line.namespace, f"n-{change}"), ("work-uid", f"mw-{change}")]
                    replaced.append(_changed(line, uid=f"mw-{change}", name=f"n-{change}", gives=gives, **change))
            case HopSeen(hop="delivered"):
                replaced.append(_changed(line, facts=[Fact(("work", line.cluster, "elsewhere"), line.cluster)]))
            case HopSeen(hop="reported"):
                (fact,) = line.facts
                about = ("work-uid", "mw-other", *fact.about[2:])
                replaced.append(_changed(line, facts=[Fact(about, fact.wec, status=fact.status)]))
            case WorkloadSeen() if line.cluster != "wds1":
                replaced.append(_changed(line, owners=["stranger"]))
            case _:
                replaced.append(line)
    marks = joined(replaced).progress("t000").done
    assert {name: count for name, count in marks.items() if count} == {"created": 1, "bound": 1}


def _changed(line: Line, **fields: object) -> Line:
    return type(line)(**{name: fields.get(name, getattr(line, name)) for name in line.__struct_fields__})


def test_a_clause_with_an_unknown_revision_does_not_bind() -> None:
    sim = Simulator()
    sim.trial("one-to-one", WECS[:1])
    lines = [
        _changed(line, rv="99") if isinstance(line, WorkloadSeen) and line.cluster == "wds1" else line
        for line in sim.out.ordered()
        if line.__class__.__name__ != "Sent"
    ]
    sample = one(joined(lines).samples(), "binding")
    assert (sample.end_ns, sample.flags) == (None, ("missing",))


def test_flags_of_receipts_clusters_and_time() -> None:
    sim = Simulator()
    sim.trial("one-to-one", WECS[:2], repeat=-1)
    lines: list[Line] = []
    for line in sim.out.ordered():
        if isinstance(line, WorkloadSeen) and line.cluster == "wec001":
            line = _changed(line, gap=True, listed=True)  # noqa: PLW2901
        lines.append(line)
    down = sim.out.truth["op-t000-wec002-000", "wec002"]["packaged"]
    lines.append(ClusterState(ns=down + MS, wall=0, cluster="wec002", state="down"))
    lines.append(ClusterState(ns=down + 2 * MS, wall=0, cluster="wec002", state="up"))
    samples = joined(lines, object_timeout=2.3).samples()
    assert one(samples, "downsync", cluster="wec001").flags == ("gap", "listed", "warmup")
    assert one(samples, "delivery", cluster="wec002").flags == ("cluster-down", "warmup")
    assert one(samples, "packaging", cluster="wec002").flags == ("warmup",)
    assert "late" in one(samples, "workload", cluster="wec002").flags


def test_a_negative_sample_is_kept_and_named() -> None:
    sim = Simulator()
    sim.trial("one-to-one", WECS[:1])
    lines = [
        _changed(line, ns=line.ns + 5000 * MS) if is_hop(line, "delivered") else line for line in sim.out.ordered()
    ]
    sample = one(joined(lines).samples(), "activation")
    assert sample.seconds is not None
    assert sample.seconds < 0
    assert sample.flags == ("negative",)


def test_a_bundled_work_has_no_delivery() -> None:
    sim = Simulator()
    sim.trial("one-to-one", WECS[:1])
    lines = [
        _changed(line, ns=line.ns - 5000 * MS) if is_hop(line, "delivered") else line for line in sim.out.ordered()
    ]
    samples = joined(lines).samples()
    assert "bundled" in one(samples, "delivery").flags
    assert not one(samples, "delivery").counted
    assert one(samples, "downsync").flags == ()


def test_an_object_in_a_wec_it_was_not_planned_for_is_a_stray() -> None:
    sim = Simulator()
    sim.trial("one-to-many", WECS[:2])
    lines = [_changed(line, clusters=["wec001"]) if isinstance(line, Planned) else line for line in sim.out.ordered()]
    assert set(joined(lines).strays) == {("op-t000-all-000", "wec002")}


def test_lines_of_others_are_passed_over() -> None:
    sim = Simulator()
    sim.trial("one-to-many", WECS[:2])
    lines = [line for line in sim.out.ordered() if not isinstance(line, Planned)]
    join = joined(lines)
    assert join.samples() == []
    assert join.progress("unknown").complete is False


def test_a_recreated_object_keeps_its_first_activation_and_is_named() -> None:
    sim = Simulator()
    sim.trial("one-to-one", WECS[:1])
    activated = sim.out.truth["op-t000-wec001-000", "wec001"]["activated"]
    lines: list[Line] = []
    for line in sim.out.ordered():
        if isinstance(line, WorkloadSeen) and line.cluster == "wec001" and line.status is not None:
            line = _changed(line, uid="second")  # noqa: PLW2901
        lines.append(line)
    sample = one(joined(lines).samples(), "downsync")
    assert (sample.end_ns, sample.flags) == (activated, ("recreated",))


def past(join: Join) -> list[str]:
    """Trials of which only the samples are kept."""
    return [name for name, trial in join._trials.items() if not trial.originals]


def cleaned(*lefts: str, kind: str = "deployment") -> Simulator:
    """A trial for each, cleaned up behind it; what is not empty stays."""
    sim = Simulator(kind=kind)
    for left in lefts:
        sim.clean(sim.trial("one-to-many", WECS, objects=2, lost=frozenset(WECS[:1])), left=left)
    return sim


@pytest.mark.parametrize("kind", ["deployment", "pod", "configmap"])
def test_of_a_past_trial_the_samples_are_kept_and_nothing_else(kind: str) -> None:
    lines = cleaned("", "", "", "", kind=kind).out.ordered()
    join = joined(lines, object_timeout=1.0)
    assert past(join) == ["t000", "t001"]
    never = joined([line for line in lines if not isinstance(line, RunMark)], object_timeout=1.0)
    assert past(never) == []
    assert join.samples() == never.samples()
    assert {s.trial for s in join.samples() if "late" in s.flags and "missing" not in s.flags} >= {"t000", "t003"}
    held = joined(cleaned("", "", kind=kind).out.ordered())
    assert [len(join._ops), len(join._given), len(join._waiting)] == [
        len(held._ops), len(held._given), len(held._waiting)
    ]  # fmt: skip
    assert join.progress("t000") == never.progress("t000")


def test_a_trial_of_which_something_stayed_is_not_past() -> None:
    assert past(joined(cleaned("1 objects", "", "", "").out.ordered())) == ["t001"]


def test_no_trial_is_past_while_a_cluster_is_down() -> None:
    sim = cleaned("", "", "", "")
    begins = [line.ns for line in sim.out.ordered() if isinstance(line, TrialPlan)]
    down = ClusterState(ns=begins[1] + 1, wall=0, cluster="wec002", state="down")
    back = ClusterState(ns=begins[2] + 1, wall=0, cluster="wec002", state="up")
    lines = sorted([*sim.out.ordered(), down, back], key=lambda line: line.ns)
    until = [line for line in lines if line.ns <= begins[2]]
    assert past(joined(until)) == []
    assert past(joined(lines)) == ["t000", "t001"]
    never = joined([line for line in lines if not isinstance(line, RunMark)])
    assert joined(lines).samples() == never.samples()
    assert {"t001", "t002"} <= {s.trial for s in never.samples() if "cluster-down" in s.flags}


def test_lines_about_objects_of_a_past_trial_change_nothing() -> None:
    lines = cleaned("", "", "", "").out.ordered()
    join = joined(lines)
    before = list(join.samples())
    held = len(join._given)
    begins = [line.ns for line in lines if isinstance(line, TrialPlan)]
    late = [line for line in lines if line.ns < begins[2] and not isinstance(line, TrialPlan | Planned | RunMark)]
    for line in late:
        join.feed(line)
    assert len(late) > 100
    assert join.samples() == before
    assert (len(join._given), join.strays) == (held, {})
