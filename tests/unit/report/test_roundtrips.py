"""What the report says of a run that swept the links."""

from __future__ import annotations

from fleet.analysis.roundtrips import RoundTrips
from fleet.managers.kubestellar.theory import THEORY
from fleet.report.sections import _round_trips, _told


def row(stage: str, measured: float, predicted: float | None, *, interval: bool = True) -> RoundTrips:
    low, high = (measured - 0.1, measured + 0.1) if interval else (None, None)
    return RoundTrips(
        stage=stage, layout="one-to-many", wecs=4, predicted=predicted, measured=measured, low=low, high=high, base=2.1,
        trials=6,
    )  # fmt: skip


def test_down_sync_is_told_and_what_is_not_as_predicted() -> None:
    rule, *said = _told(
        [row("delivery", 1.52, 1.5), row("activation", 0.9, 0.0), row("downsync", 2.4, 1.5)], THEORY.link
    )
    assert "delivery must make 1.5" in rule
    assert said == [
        "one-to-many, 4 WECs: down-sync takes 2.100 s without delay, and 2.40 round trips more (1.50 predicted).",
        "Not as predicted: activation (one-to-many, 4) takes 0.90 round trips, not 0.00.",
        "Not as predicted: downsync (one-to-many, 4) takes 2.40 round trips, not 1.50.",
    ]


def test_the_table_leaves_open_what_is_not_known() -> None:
    table = _round_trips([row("delivery", 1.52, 1.5), row("report", 3.0, None, interval=False)])
    assert table.rows == [
        ("delivery", "one-to-many", "4", "6", "2.100", "1.52", "1.42 to 1.62", "1.50"),
        ("report", "one-to-many", "4", "6", "2.100", "3.00", "\N{EN DASH}", "\N{EN DASH}"),
    ]
