"""Ports and addresses of one WEC's Kyverno: everything listens on 127.0.0.1 alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fleet.platforms.kyverno import names
from fleet.platforms.platform import Seat

METRICS, PROFILES, WEBHOOKS = "metrics", "profiles", "webhooks"
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Places:
    """Ports of the registry."""

    seat: Seat
    webhooks: int
    """Of the admission controller."""
    metrics: Mapping[str, int]
    """By component."""
    profiles: Mapping[str, int]
    """By component."""

    @classmethod
    def of(cls, seat: Seat) -> Places:
        """Takes the ports; in check mode those that are taken, or zeros."""

        def port(component: str, what: str) -> int:
            return seat.port(f"{component}.{what}", (names.program(component, seat.wec),))

        return cls(
            seat,
            port(names.ADMISSION, WEBHOOKS),
            {component: port(component, METRICS) for component in names.CONTROLLERS},
            {component: port(component, PROFILES) for component in names.CONTROLLERS},
        )
