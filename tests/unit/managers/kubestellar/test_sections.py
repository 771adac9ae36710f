"""What the report says of a run that swept the WDSes of one ITS or several, and of what it does not know."""

from __future__ import annotations

from fleet.analysis.leaks import Leak
from fleet.analysis.prediction import Prediction
from fleet.analysis.summary import Row
from fleet.managers.kubestellar.sections import _shared, _sharing
from fleet.managers.kubestellar.sharing import Sharing
from fleet.report.answer import _layout
from fleet.report.sections import _trend

MIB = 1 << 20
ONE = Sharing(
    layout="one-to-many", wecs=20, wdses=1, trials=2, downsync_p50=17.25, downsync_max=33.5, e2e_p50=34.0, e2e_max=36.5,
    whole=36.6, its_requests=812.0, its_cpu_seconds=9.25, its_rss_bytes=420 * MIB, wds_cpu_seconds=4.5,
    wds_rss_bytes=500 * MIB,
)  # fmt: skip
FOUR = ONE.model_copy(
    update={"wdses": 4, "whole": 12.5, "its_cpu_seconds": 10.0, "wds_rss_bytes": 1880 * MIB, "e2e_p50": None}
)


def test_the_fewest_are_held_against_the_most() -> None:
    rule, said = _shared([ONE, FOUR])
    assert "client limits of its own" in rule
    assert said == (
        "one-to-many, 20 WECs: all was complete after 36.6 s with 1 WDS and after 12.5 s with 4 WDSes; the ITS's API "
        "server took 9.2 and 10.0 s of CPU for it; each WDS more holds 460 MiB, KubeStellar's programs of it included."
    )
    assert len(_shared([ONE])) == 1


def test_the_table_leaves_open_what_is_not_known() -> None:
    first, second = _sharing([ONE, FOUR]).rows
    assert first[:9] == ("one-to-many", "20", "1", "1", "2", "17.250", "33.500", "34.000", "36.500")
    assert first[9:] == ("36.6", "812", "9.25", "420", "4.50", "500", "\N{EN DASH}", "\N{EN DASH}")
    assert (second[2], second[7], second[14]) == ("4", "\N{EN DASH}", "1880")


def test_an_its_for_each_is_told_with_its_agents() -> None:
    own = FOUR.model_copy(update={"itses": 4, "agents_cpu_seconds": 3.125, "agents_rss_bytes": 1600 * MIB})
    rule, said = _shared([ONE, own])
    assert "each WEC has an OCM agent for each ITS of the fleet" in rule
    assert "after 12.5 s with 4 WDSes on 4 ITSes; the API servers of their ITSes together took 9.2 and 10.0 s" in said
    (row,) = _sharing([own]).rows
    assert (row[2], row[3], row[15:]) == ("4", "4", ("3.12", "1600"))


def test_several_policies_are_not_told_as_one() -> None:
    row = Row(stage="downsync", layout="one-to-many", wecs=20, point="wdses=4", count=80, missing=0, p50=2.3, max=3.0)
    most = Prediction(
        layout="one-to-many", wecs=20, point="wdses=4", policies=4, objects=1, downsync_measured=3.0, e2e_floor=None,
        e2e_measured=None, floors=(), fixed=2.0, downsync_floor=2.0,
    )  # fmt: skip
    assert _layout(most, [row])[0].startswith("At 20 WECs and 4 policies (wdses=4), an object was in its WEC")
    one = most.model_copy(update={"policies": 1})
    assert _layout(one, [row])[0].startswith("At 20 WECs and one policy for all WECs (wdses=4)")


def test_a_series_of_too_few_values_has_no_numbers() -> None:
    leak = Leak(
        program="p", quantity="heap after collection", unit="MiB", verdict="too short to tell", reason="7 values",
        level=0.0, last=0.0, per_hour=0.0, low=0.0, high=0.0,
    )  # fmt: skip
    assert _trend(leak) == ("\N{EN DASH}",) * 4
    assert _trend(leak.model_copy(update={"verdict": "steady"})) == ("0.0", "0.0", "+0.00", "+0.00 to +0.00")
