"""Refuse control planes that cannot be what they say, before a path or an argument is built from them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from fleet.errors import UsageError
from fleet.host.drivers.driver import driver_kind, driver_kinds
from fleet.host.plan import ControlPlane
from fleet.model.base import NAME_PATTERN
from fleet.model.fleet_file import WEC

MAX_WECS = 1000
"""Names have three digits; beyond that no machine was ever tried."""


def check_name(field: str, name: str) -> None:
    """UsageError when `name` is no RFC 1123 label of at most 40 characters."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise UsageError(
            f"{field}: {name!r} is not a name: lower case letters, digits and '-', at most 40,"
            f" beginning and ending with a letter or digit"
        )


def check_planes(planes: Sequence[ControlPlane], *, hub: bool) -> None:
    """UsageError for bad or doubled names, addresses that are none, roles outside the call,
    arguments that are no flags."""
    names: set[str] = set()
    for plane in planes:
        check_name("control plane name", plane.name)
        if plane.name in names:
            raise UsageError(f"control plane name: {plane.name} is there twice")
        names.add(plane.name)
        if plane.hub != hub:
            raise UsageError(f"{plane.name}: role {plane.role} is not one of this call's, {'the hub' if hub else WEC}")
        if not driver_kind(plane.driver).of_hub and plane.hub:
            able = ", ".join(name for name in driver_kinds() if driver_kind(name).of_hub)
            raise UsageError(
                f"{plane.name}: control planes of the hub run under the driver {able}, not"
                f" {plane.driver}: they are the system under test"
            )
        _check_address(plane)
        plane.extra.check()


def _check_address(plane: ControlPlane) -> None:
    try:
        address = ipaddress.ip_address(plane.bind_address)
    except ValueError as error:
        raise UsageError(f"{plane.name}: bind address {plane.bind_address!r} is not an IP address") from error
    if address.is_unspecified or address.is_multicast:
        raise UsageError(f"{plane.name}: bind address {address} is not one address of this machine, such as 127.0.0.1")
