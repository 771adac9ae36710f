"""Ports, addresses and files of one WEC's Kueue."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fleet.platforms.kueue import names
from fleet.platforms.loopback import address_of
from fleet.platforms.platform import Seat


@dataclass(frozen=True)
class Places:
    """Ports of the registry, and what follows from them."""

    seat: Seat
    webhooks: int
    health: int
    profiles: int

    @classmethod
    def of(cls, seat: Seat) -> Places:
        """Takes the ports; in check mode those that are taken, or zeros."""
        own = (names.program(seat.wec),)
        return cls(seat, *(seat.port(what, own) for what in ("webhooks", "health", "profiles")))

    @property
    def address(self) -> str:
        """Of its webhooks, and of their Service."""
        return address_of(self.webhooks)

    @property
    def certificates(self) -> Path:
        """The folder that it reads the certificate of its webhooks from."""
        return self.seat.folder / "serving"

    @property
    def pair(self) -> tuple[Path, Path]:
        """Certificate and key in it."""
        return self.certificates / "tls.crt", self.certificates / "tls.key"
