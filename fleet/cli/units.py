"""Numbers as people read them: bytes, durations, shares of a core."""

from __future__ import annotations

MINUTE, HOUR, DAY = 60, 3600, 86_400
KIB = 1024.0
THREE_DIGITS = 100


def size(count: float) -> str:
    """Bytes in binary units with about three digits: `312 MiB`, `1.2 GiB`."""
    value, unit = float(count), "B"
    for following in ("KiB", "MiB", "GiB", "TiB"):
        if value < KIB:
            break
        value, unit = value / KIB, following
    return f"{value:.0f} {unit}" if unit == "B" or value >= THREE_DIGITS else f"{value:.1f} {unit}"


def span(seconds: float) -> str:
    """Seconds in at most two units: `42s`, `3m07s`, `2h05m`, `4d03h`."""
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return f"{whole // MINUTE}m{whole % MINUTE:02d}s"
    if whole < DAY:
        return f"{whole // HOUR}h{whole % HOUR // MINUTE:02d}m"
    return f"{whole // DAY}d{whole % DAY // HOUR:02d}h"


def cores(share: float) -> str:
    """A share of one core in percent: `0.3%`, `12%`, `150%`."""
    percent = share * 100
    return f"{percent:.0f}%" if percent >= 10 else f"{percent:.1f}%"  # noqa: PLR2004 - two digits are enough from 10


def ago(seconds: float) -> str:
    """How long ago, in one unit: `3m ago`."""
    for name, unit in (("d", DAY), ("h", HOUR), ("m", MINUTE)):
        if seconds >= unit:
            return f"{int(seconds // unit)}{name} ago"
    return f"{int(seconds)}s ago"
