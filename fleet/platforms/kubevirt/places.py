"""Addresses and files of one WEC's KubeVirt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fleet.platforms.kubevirt import names
from fleet.platforms.loopback import address_of
from fleet.platforms.platform import Seat


def authority_file(folder: Path) -> Path:
    """The certificate of KubeVirt's own authority, among the files of a seat."""
    return folder / "kubevirt-ca.crt"


@dataclass(frozen=True)
class Places:
    """Ports of the registry, and what follows from them."""

    seat: Seat
    operator: int
    api: int
    controller: int
    stages: int

    @classmethod
    def of(cls, seat: Seat) -> Places:
        """Takes the ports; in check mode those that are taken, or zeros."""
        ports = {
            component: seat.port(component, (names.program(component, seat.wec),))
            for component in (names.OPERATOR, names.API, names.CONTROLLER, names.STAGES)
        }
        return cls(seat, *ports.values())

    @property
    def operator_address(self) -> str:
        """Also of its webhooks."""
        return address_of(self.operator)

    @property
    def api_address(self) -> str:
        """Of virt-api, which serves webhooks, a part of the API, and its metrics."""
        return address_of(self.api)

    @property
    def ca(self) -> Path:
        """Copied from KubeVirt's ConfigMap; who reads metrics trusts it."""
        return authority_file(self.seat.folder)

    def pair(self, secret: str) -> tuple[Path, Path]:
        """Certificate and key of a Secret that virt-operator makes, copied to files."""
        return self.seat.folder / f"{secret}.crt", self.seat.folder / f"{secret}.key"
