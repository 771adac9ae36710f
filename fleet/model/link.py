"""The link between a machine's WECs and the hub, as a user writes it: `wan: {rtt: 40ms, rate: 50mbit}`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, model_validator

from fleet.errors import SpecError, UsageError
from fleet.model.base import Model
from fleet.model.duration import Moment
from fleet.model.duration import shown as shown_seconds
from fleet.model.model_errors import FieldPath, Place, validate

LONGEST_RTT = 60.0
"""Seconds. An API server closes a request after that time, and managers take an agent for dead after a few minutes."""
LEAST_RATE = 8_000.0
"""Bits per second: one kilobyte; below it a TLS handshake takes seconds."""
MOST_RATE = 1e12
_UNITS = {"kbit": 1e3, "mbit": 1e6, "gbit": 1e9}
"""As `tc` has them: decimal."""
_RATE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(kbit|mbit|gbit)")
_FOREIGN = {"loss": "lose packets", "duplicate": "send packets twice", "reorder": "reorder packets"}
"""What `tc netem` can do and a TCP proxy cannot: TCP would repair it before a byte is passed on."""


def parse_rate(value: Any) -> float:
    """Bits per second of `50mbit`, `1.5gbit`, `800kbit`; a bare number is refused because its unit is a guess."""
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None and not isinstance(value, float):  # a number is how a fleet file has it
        raise ValueError(f"{value!r} is not a rate: write 800kbit, 50mbit or 1gbit")
    bits = float(round(float(match[1]) * _UNITS[match[2]])) if match else float(value)
    if not LEAST_RATE <= bits <= MOST_RATE:
        raise ValueError(f"{value!r} is not from {shown_rate(LEAST_RATE)} to {shown_rate(MOST_RATE)}")
    return bits


def shown_rate(bits: float) -> str:
    """`50mbit`: what `parse_rate` reads as the same value, with the largest unit that suits."""
    unit = next((name for name in ("gbit", "mbit") if bits >= _UNITS[name]), "kbit")
    return f"{bits / _UNITS[unit]:.12g}{unit}"


Rate = Annotated[float, BeforeValidator(parse_rate)]
"""Bits per second; written as `50mbit`."""


def _whole(seconds: float) -> float:
    """Toxiproxy counts whole milliseconds; a finer one would be another link than the user requested."""
    if abs(seconds * 1000 - round(seconds * 1000)) > 1e-6:  # noqa: PLR2004 - a nanosecond
        raise ValueError(f"{seconds * 1000:g} ms: write whole milliseconds, such as {round(seconds * 1000)}ms")
    return round(seconds * 1000) / 1000


def _bearable(seconds: float) -> float:
    if seconds > LONGEST_RTT:
        raise ValueError(f"{shown_seconds(seconds)} is more than {shown_seconds(LONGEST_RTT)}: write less")
    return seconds


Milliseconds = Annotated[Moment, AfterValidator(_whole)]
RoundTrip = Annotated[Milliseconds, AfterValidator(_bearable)]
"""Seconds, in whole milliseconds; written as `40ms`."""


class Link(Model):
    """What everything that the WECs' agents of one machine say to the hub goes through, and what comes back."""

    rtt: RoundTrip = 0.0
    """Seconds that a round trip takes longer; half of it each way."""
    jitter: Milliseconds = 0.0
    """Each way takes up to half of it more or less, evenly spread."""
    rate: Rate | None = None
    """Each way, of all connections together; None: as the machine's network has it."""

    @model_validator(mode="before")
    @classmethod
    def _possible(cls, value: Any) -> Any:
        for name, what in _FOREIGN.items():
            if isinstance(value, dict) and name in value:
                raise ValueError(f"{name}: the link is a TCP proxy, which cannot {what}: leave it out")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.jitter > self.rtt:
            raise ValueError(
                f"jitter: {shown_seconds(self.jitter)} is more than the round trip of {shown_seconds(self.rtt)}, "
                "which cannot become negative: write less"
            )
        return self

    def __str__(self) -> str:
        """`rtt 40ms, rate 50mbit`; of the fields that say something."""
        parts = [f"rtt {shown_seconds(self.rtt)}"]
        parts += [f"jitter {shown_seconds(self.jitter)}"] if self.jitter else []
        parts += [f"rate {shown_rate(self.rate)}"] if self.rate is not None else []
        return ", ".join(parts)

    def written(self) -> dict[str, str]:
        """As a user writes it, for an inventory."""
        fields = {"rtt": shown_seconds(self.rtt)}
        fields |= {"jitter": shown_seconds(self.jitter)} if self.jitter else {}
        return fields | ({"rate": shown_rate(self.rate)} if self.rate is not None else {})


def link_of(value: Any, *, variable: str = "wan") -> Link | None:
    """The link of an inventory variable; None for none. UsageError with variable, field and how to fix it."""
    if value is None or value in ("", {}):
        return None
    if not isinstance(value, dict):
        example = '-e \'{"wan": {"rtt": "40ms"}}\''
        raise UsageError(f"{variable}: {value!r} is not a mapping: write {{rtt: 40ms, rate: 50mbit}}, or {example}")

    def place(_: FieldPath) -> Place:
        return None, None

    try:
        return validate(Link, value, place)
    except SpecError as error:
        raise UsageError("\n".join(f"{variable}: {line}" for line in str(error).splitlines())) from error
