from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from fleet.analysis.ab import Measured, Pair, Question
from fleet.analysis.setting import Setting
from fleet.report.ab_markdown import markdown
from tests.unit.analysis.simulator import Hops
from tests.unit.analysis.test_compare import study

HEAD = ("downsync", "e2e")
MANY, ONE = Setting("one-to-many", 4), Setting("one-to-one", 4)


def run(
    name: str, downsync: float, e2e: float, *, missing: int = 0, status: str = "valid", manager: str = "ocm"
) -> Measured:
    medians = {("downsync", MANY): downsync, ("e2e", MANY): e2e, ("binding", MANY): 2.0}
    counts = dict.fromkeys((*HEAD, "binding"), (60 - missing, missing))
    reasons = ("it broke",) if status == "invalid" else ()
    return Measured(name, manager, status, reasons, medians, counts, ("binding", *HEAD), HEAD)


def pairs(ratios: list[float], **b: object) -> list[Pair]:
    """Pairs with that factor in downsync; e2e is the same in both but for a percent to and fro."""
    wobble = [0.99, 1.01, 1.0, 1.005, 0.995]
    return [
        Pair(run(f"a{i}", 1.0, 2.0), run(f"b{i}", factor, 2.0 * wobble[i % 5], **b))  # type: ignore[arg-type]
        for i, factor in enumerate(ratios)
    ]


def test_a_slower_stage_is_worse_and_ends_the_test_early() -> None:
    answer = Question(5, 0.1).answer(pairs([1.30, 1.31, 1.29, 1.30]))
    assert (answer.outcome, answer.known) == ("worse", True)
    downsync = next(stage for stage in answer.stages if stage.stage == "downsync")
    assert downsync.shares is not None
    estimate, low, high = downsync.shares
    assert low > 0
    assert estimate == pytest.approx(0.3, abs=0.001)
    assert low < estimate < high
    assert not next(stage for stage in answer.stages if stage.stage == "binding").headline


def test_the_same_is_no_difference_only_when_the_interval_is_narrow() -> None:
    steady = [1.01, 0.99, 1.0, 1.0, 1.005]
    assert Question(5, 0.1).answer(pairs(steady)).outcome == "no difference"
    assert Question(5, 0.1).answer(pairs(steady)[:2]).outcome == "too few to tell"
    noisy = [1.4, 0.7, 1.2, 0.8, 1.1]
    answer = Question(5, 0.1).answer(pairs(noisy))
    assert (answer.outcome, answer.known) == ("too few to tell", False)


def test_faster_is_settled_only_when_every_stage_is() -> None:
    quick = pairs([0.70, 0.71, 0.69, 0.70])
    e2e_open = [Pair(pair.a, replace(pair.b, medians={**pair.b.medians, ("e2e", MANY): 2.0 * factor}))
                for pair, factor in zip(quick, (0.6, 1.5, 0.9, 1.2), strict=True)]  # fmt: skip
    assert (Question(5, 0.1).answer(e2e_open).outcome, Question(5, 0.1).answer(e2e_open).known) == ("better", False)
    assert Question(5, 0.1).answer(quick).known


def test_a_small_shift_that_is_sure_is_no_difference_at_the_last_look_only() -> None:
    small = [1.08, 1.085, 1.075, 1.09, 1.07]
    early, late = Question(6, 0.1).answer(pairs(small)), Question(5, 0.1).answer(pairs(small))
    verdicts = [next(s for s in answer.stages if s.stage == "downsync") for answer in (early, late)]
    assert verdicts[0].outcome == "too few to tell"
    assert (verdicts[1].outcome, verdicts[1].reason) == ("no difference", "moved by +8.0%, less than 10%")


def test_losing_samples_is_worse_whatever_the_latencies_are() -> None:
    answer = Question(5, 0.1).answer(pairs([0.7, 0.7, 0.7, 0.7], missing=20))
    assert answer.outcome == "worse"
    assert next(s for s in answer.stages if s.stage == "e2e").reason == "missing: 0 of 240 in A, 80 of 240 in B"


def test_a_pair_with_an_invalid_run_does_not_count() -> None:
    made = pairs([1.3, 1.31, 1.29])
    made.insert(1, Pair(run("a9", 1.0, 2.0), run("b9", 9.0, 9.0, status="invalid")))
    answer = Question(3, 0.1).answer(made)
    assert len(answer.pairs) == 3
    assert answer.void == ("B (b9) is invalid: it broke",)


def test_the_ratio_is_the_mean_over_shared_settings() -> None:
    a, b = run("a", 1.0, 2.0), run("b", 1.2, 2.0)
    a = replace(a, medians={**a.medians, ("downsync", ONE): 1.0})
    b = replace(b, medians={**b.medians, ("downsync", ONE): 1.5, ("downsync", Setting("one-to-one", 8)): 99.0})
    assert Pair(a, b).ratio("downsync") == pytest.approx((math.log(1.2) + math.log(1.5)) / 2)
    assert Pair(a, b).ratio("nothing") is None


def test_of_real_studies_and_as_markdown(tmp_path: Path) -> None:
    slow = Hops(bind=2600)
    fast_runs = [Measured.of(study(tmp_path / f"a{seed}", seed=seed)) for seed in range(3)]
    slow_runs = [Measured.of(study(tmp_path / f"b{seed}", seed=10 + seed, hops=slow)) for seed in range(3)]
    made = [Pair(a, b) for a, b in zip(fast_runs, slow_runs, strict=True)]
    question = Question(3, 0.1)
    answer = question.answer(made)
    text = markdown("base", "mine|<b>", question, answer)
    assert text.startswith(f"### {answer.outcome}: ")
    assert "B: `mine\\|&lt;b>`. 3 of at most 3 pairs" in text
    assert "| downsync | +" in text


def test_of_two_managers_only_what_means_the_same_is_judged() -> None:
    made = [Pair(run("a", 1.0, 2.0), run("b", 1.0, 9.0, manager="karmada")) for _ in range(3)]
    answer = Question(3, 0.1).answer(made)
    assert [stage.stage for stage in answer.stages if stage.headline] == ["downsync"]
    assert "binding" not in {stage.stage for stage in answer.stages}
    assert answer.outcome == "no difference"
