"""Quantities, lives, scaling, drift and order, worked by hand."""

from __future__ import annotations

import pytest

from fleet.errors import UsageError
from fleet.model.trace import Header, Owner, Pod
from fleet.trace import quantity, scaling
from fleet.trace.fidelity import drift, order
from fleet.trace.file import Trace
from fleet.trace.lives import Life, exit_code, was_evicted
from fleet.trace.summary import peak, summary


@pytest.mark.parametrize(
    ("values", "total"),
    [
        (["100m"], "100m"), (["100m", "150m"], "250m"), (["1", "500m"], "1500m"), (["0.5", "0.5"], "1"),
        (["64Mi", "1Gi"], "1088Mi"), (["1500", "36Ki"], "38364"), (["1k", "1"], "1001"), (["2e3", "1"], "2001"),
        (["1Gi", "1Gi"], "2Gi"), (["0.1", "0.00001"], "101m"),
    ],
)  # fmt: skip
def test_requests_of_containers_are_summed(values: list[str], total: str) -> None:
    assert quantity.total(values) == total


@pytest.mark.parametrize("text", ["", "m", "1 Gi", "-1", "1kk", "0x1", "1e999", "9" * 99])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        quantity.parse(text)


def test_a_life_becomes_a_line() -> None:
    life = Life("a", created=10.0, bound=10.5, running=12.0, ended=20.0, succeeded=False, exit=3, deleted=25.0)
    pod = life.pod(8.0)
    assert pod is not None
    assert (pod.t, pod.wait, pod.life, pod.end, pod.exit, pod.inexact) == (2.0, 2.0, 8.0, "failed", 3, [])
    assert pod.ends_after == 10.0


def test_what_is_not_known_is_not_invented() -> None:
    assert Life("a").pod(0) is None
    only_end = Life("a", created=1.0, deleted=4.0).pod(0)
    assert only_end == Pod(t=1, key="a", lasted=3, end="deleted")
    bound = Life("a", bound=2.0, running=3.0, deleted=4.0).pod(0)
    assert bound == Pod(t=2, key="a", life=1, end="deleted", inexact=["t"])
    before = Life("a", before=True, created=-5.0, running=-5.0, deleted=4.0).pod(0)
    assert before == Pod(t=0, key="a", life=4, end="deleted", before=True)
    odd = Life("a", created=0.0, running=1.0, ended=2.0, succeeded=True, exit=3).pod(0)
    assert odd == Pod(t=0, key="a", wait=1, life=1, end="succeeded")  # a source that contradicts itself


def test_exit_codes_and_evictions_of_a_pod() -> None:
    codes = [{"state": {"terminated": {"exitCode": code}}} for code in (0, 137, 1)]
    assert exit_code({"status": {"containerStatuses": codes}}) == 137
    assert exit_code({"status": {"containerStatuses": codes[:1]}}) == 0
    assert exit_code({"status": {}}) is None
    assert was_evicted({"status": {"conditions": [{"type": "DisruptionTarget", "status": "True"}]}})
    assert not was_evicted({"status": {"reason": "Completed"}})


def of(*pods: Pod, span: float = 10) -> Trace:
    return Trace(Header(source="test", pods=len(pods), span=span, clock="receipt", complete=True), pods)


JOB = Owner(kind="Job", name="j")
THREE = of(
    Pod(t=0, key="a", wait=1, life=2, end="succeeded", exit=0, owner=JOB),
    Pod(t=4, key="b", wait=1, life=3, end="deleted"),
    Pod(t=8, key="c", end="open"),
)


def test_times_are_multiplied() -> None:
    made = scaling.stretched(THREE, 0.5)
    assert [(pod.t, pod.wait, pod.life) for pod in made.pods] == [(0, 0.5, 1), (2, 0.5, 1.5), (4, None, None)]
    assert made.header.span == 5
    assert made.header.notes == ["times multiplied by 0.5"]


def test_a_part_is_cut_out() -> None:
    made = scaling.between(THREE, 3, 8)
    assert [(pod.key, pod.t) for pod in made.pods] == [("b", 1)]
    assert (made.header.pods, made.header.span) == (1, 5)
    with pytest.raises(UsageError, match="no pod is left"):
        scaling.between(THREE, 1, 2)


def test_a_sample_is_seeded() -> None:
    assert scaling.sampled(THREE, 2, 1).pods == scaling.sampled(THREE, 2, 1).pods
    assert len(scaling.sampled(THREE, 2, 1).pods) == 2
    with pytest.raises(UsageError, match="--pods: 4 is not between 1 and the 3 pods"):
        scaling.sampled(THREE, 4, 1)


def test_a_larger_one_has_copies_of_its_own() -> None:
    made = scaling.sized(THREE, 2.34, 7)
    assert len(made.pods) == 7
    assert len({pod.key for pod in made.pods}) == 7
    copy = next(pod for pod in made.pods if pod.key == "a-c1")
    assert copy.owner == Owner(kind="Job", name="j-c1")
    assert 0 <= copy.t <= 10 / 3
    assert [pod.t for pod in made.pods] == sorted(pod.t for pod in made.pods)
    assert len(scaling.sized(THREE, 0.34, 7).pods) == 1


def test_peak_and_summary() -> None:
    assert peak(THREE.pods) == 2  # a is over at 3; b at 8, when c comes: it is counted with it
    assert peak([Pod(t=0, key="x", wait=0, life=5, end="deleted"), Pod(t=5, key="y", end="open")]) == 2
    found = summary(THREE)
    assert (found.rate, found.busiest, found.owners) == (0.3, 1, {"Job": 1, "none": 2})
    assert found.life is not None
    assert (found.life.known, found.life.p50, found.life.largest) == (2, 2, 3)


def test_drift_by_key() -> None:
    again = [
        Pod(t=1, key="a", wait=1, life=1.05, end="succeeded", exit=0),
        Pod(t=3.1, key="b", wait=1, life=1.5, end="deleted"),
    ]
    found = drift(THREE.pods, again, speed=2)
    assert (found.pods, found.lost, found.exits, found.ends) == (2, 1, 1.0, 1.0)
    assert found.life_p90 == pytest.approx(0.05)  # the larger of 0.05 and 0
    assert found.arrival_p90 == pytest.approx(0.05)  # (3.1 - 1) x 2 = 4.2 for 4, of a span of 4


def test_order_counts_pairs_that_are_apart() -> None:
    found = order([(0.0, 1.0), (1.0, 3.0), (2.0, 2.0), (2.005, 1.9)], apart=0.01)
    assert (found.pairs, found.kept) == (5, 3)  # 0-1, 0-2, 0-2.005 kept; 1-2 and 1-2.005 not; 2-2.005 too near
    assert order([], 1).share == 1.0
