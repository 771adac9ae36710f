"""Links as users write them: what is read, what is refused with field and fix, and that it comes back the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.errors import UsageError
from fleet.model.fleet_file import Machine
from fleet.model.link import LEAST_RATE, MOST_RATE, Link, link_of, parse_rate, shown_rate

_MILLISECONDS = st.integers(min_value=0, max_value=60_000)
_RATES = st.none() | st.integers(min_value=8, max_value=10**9).map(lambda kilobits: kilobits * 1000.0)


@st.composite
def links(draw: st.DrawFn) -> Link:
    rtt = draw(_MILLISECONDS)
    jitter = draw(st.integers(min_value=0, max_value=rtt))
    return Link.model_validate({"rtt": rtt / 1000, "jitter": jitter / 1000, "rate": draw(_RATES)})


@settings(deadline=None)
@given(links())
def test_a_link_comes_back_the_same_from_an_inventory_and_from_a_fleet_file(link: Link) -> None:
    assert link_of(link.written()) == link
    assert Link.model_validate_json(link.model_dump_json()) == link


@settings(deadline=None)
@given(st.integers(min_value=int(LEAST_RATE), max_value=int(MOST_RATE)).map(float))
def test_a_rate_is_read_as_it_was_shown(bits: float) -> None:
    assert parse_rate(shown_rate(bits)) == bits


@settings(deadline=None)
@given(st.text(max_size=12))
def test_any_text_is_a_rate_or_refused(text: str) -> None:
    try:
        bits = parse_rate(text)
    except ValueError:
        return
    assert LEAST_RATE <= bits <= MOST_RATE


@pytest.mark.parametrize(
    ("text", "bits"), [("50mbit", 50e6), ("1.5gbit", 1.5e9), ("8kbit", 8e3), ("800kbit", 800e3), ("1000gbit", 1e12)]
)
def test_rates_are_decimal_as_those_of_tc(text: str, bits: float) -> None:
    assert parse_rate(text) == bits


@pytest.mark.parametrize(
    ("wan", "said"),
    [
        ("40ms", "wan: '40ms' is not a mapping: write {rtt: 40ms, rate: 50mbit}"),
        ({"rtt": 40}, "wan: rtt: a duration is a number with a unit"),
        ({"rtt": "1.5ms"}, "wan: rtt: 1.5 ms: write whole milliseconds, such as 2ms"),
        ({"rtt": "2m"}, "wan: rtt: 120s is more than 60s: write less"),
        ({"rtt": "40ms", "jitter": "50ms"}, "wan: jitter: 50ms is more than the round trip of 40ms"),
        ({"rtt": "40ms", "loss": "1%"}, "wan: loss: the link is a TCP proxy, which cannot lose packets: leave it out"),
        ({"rat": "50mbit"}, "wan: rat: unknown field; did you mean `rate`?"),
        ({"rate": 50}, "wan: rate: 50 is not a rate: write 800kbit, 50mbit or 1gbit"),
        ({"rate": "50mbps"}, "wan: rate: '50mbps' is not a rate"),
        ({"rate": "1kbit"}, "wan: rate: '1kbit' is not from 8kbit to 1000gbit"),
    ],
)
def test_what_no_link_can_be_is_refused_with_field_and_fix(wan: Any, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        link_of(wan)
    assert str(refused.value).startswith(said)


def test_no_link_and_a_link_without_delay_are_two_things() -> None:
    assert link_of({}) is None
    assert link_of(None) is None
    assert link_of({"rtt": "0ms"}) == Link()
    assert str(Link(rtt=0.04, jitter=0.005, rate=50e6)) == "rtt 40ms, jitter 5ms, rate 50mbit"


def test_a_fleet_file_takes_the_inventory_s_words() -> None:
    machine = Machine.model_validate({"name": "m1", "state_dir": "/s", "wan": {"rtt": "40ms", "rate": "50mbit"}})
    assert machine.wan == Link(rtt=0.04, rate=50e6)
    assert Machine.model_validate({"name": "m1", "state_dir": "/s", "wan": {}}).wan is None
    assert Machine.model_validate_json(machine.model_dump_json()) == machine
