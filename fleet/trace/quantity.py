"""Kubernetes quantities: read exactly, summed over the containers of a pod, written in the shortest of their forms."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal

_FORM = re.compile(
    r"([0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(m|u|n|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?[0-9]{1,2})?"
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_MILLI = Decimal("0.001")


def parse(text: str) -> Decimal:
    """The number of a quantity such as `250m`, `1.5Gi`, `2`; ValueError for anything else."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a quantity")
    number, suffix = Decimal(found[1]), found[2] or ""
    if suffix in _BINARY:
        return number * Decimal(1024) ** (_BINARY.index(suffix) + 1)
    if suffix in _DECIMAL:
        return number.scaleb(_DECIMAL[suffix])
    return number.scaleb(int(suffix[1:]))


def text(value: Decimal, *, binary: bool) -> str:
    """Rounded up to what the API can hold: thousandths, or whole bytes with `binary`, in the largest unit that fits."""
    if binary:
        whole = int(value.to_integral_value(ROUND_CEILING))
        for power, suffix in reversed(list(enumerate(_BINARY, start=1))):
            if whole and whole % 1024**power == 0:
                return f"{whole // 1024**power}{suffix}"
        return str(whole)
    milli = int((value / _MILLI).to_integral_value(ROUND_CEILING))
    return str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"


def total(values: Iterable[str]) -> str:
    """Their sum; one alone stays as it is written."""
    given = list(values)
    if len(given) == 1:
        parse(given[0])
        return given[0]
    return text(sum((parse(one) for one in given), Decimal(0)), binary=any(one.endswith("i") for one in given))
