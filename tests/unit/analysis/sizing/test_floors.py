"""Floors of a share of all copies, by KubeStellar's token buckets, worked by hand."""

from __future__ import annotations

import pytest

from fleet.analysis.sizing.floors import floor_at
from fleet.analysis.theory import theory_of

LIMITS = {"transport_its_qps": 5.0, "transport_its_burst": 10.0}


@pytest.mark.parametrize(
    ("layout", "objects", "wecs", "share", "seconds"),
    [
        # One ManifestWork for each WEC, two calls each, 10 at once and then 5 a second, and the hold-back of 2 s.
        ("one-to-many", 1, 100, 1.0, 2 + (200 - 10) / 5),
        ("one-to-many", 1, 100, 0.5, 2 + (100 - 10) / 5),
        ("one-to-many", 1, 100, 0.99, 2 + (198 - 10) / 5),
        # Two objects for each policy of one WEC: two works each.
        ("one-to-one", 2, 20, 0.5, 2 + (40 - 10) / 5),
        # Half of three WECs is two of them; 4 calls are within the burst.
        ("one-to-many", 1, 3, 0.5, 2.0),
    ],
)
def test_by_hand(layout: str, objects: int, wecs: int, share: float, seconds: float) -> None:
    found = floor_at(theory_of("kubestellar"), (layout, objects), wecs, share, LIMITS)
    assert found == pytest.approx(seconds)


def test_without_a_theory_there_is_no_floor() -> None:
    assert theory_of("none") is None
    assert floor_at(None, ("one-to-many", 1), 100, 0.5, LIMITS) == 0.0
