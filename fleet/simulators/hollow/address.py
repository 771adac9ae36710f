"""The address of hollow nodes on this machine: one that a kubelet takes, and that API servers here can dial."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

import psutil

from fleet.errors import UsageError

VARIABLE = "hollow_address"


ELSEWHERE = ("192.0.2.1", 9)
"""Of RFC 5737, and discard: nothing is sent there, only the route is looked up."""


def addresses() -> list[str]:
    """IPv4 addresses of this machine's interfaces that are up: first that of the way out, then in the order of the
    interfaces' names, of which bridges of container engines may be the first."""
    up = {name for name, stats in psutil.net_if_stats().items() if stats.isup}
    found = [
        entry.address
        for name, entries in sorted(psutil.net_if_addrs().items())
        if name in up
        for entry in entries
        if entry.family == socket.AF_INET
    ]
    return sorted(found, key=lambda address: address != _way_out())


def _way_out() -> str:
    """The address that this machine has towards others; empty without a route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ELSEWHERE)
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def usable(address: str) -> bool:
    """Whether a kubelet takes it as its node's: its own check refuses these kinds."""
    found = ipaddress.ip_address(address)
    return not (found.is_loopback or found.is_unspecified or found.is_multicast or found.is_link_local)


def node_address(wanted: str, found: Iterable[str] | None = None) -> str:
    """`wanted`, or the machine's first address when it is empty; UsageError naming the variable.

    `found`: the machine's addresses; None: look.
    """
    mine = addresses() if found is None else list(found)
    fit = [address for address in mine if usable(address)]
    known = ", ".join(fit) or "none"
    if not wanted:
        if not fit:
            raise UsageError(
                f"{VARIABLE}: a kubelet refuses loopback addresses, and this machine has no other: add one as root, for"
                " example `ip address add 10.255.0.1/32 dev lo`"
            )
        return fit[0]
    if not usable(wanted):
        raise UsageError(f"{VARIABLE}: a kubelet refuses {wanted}; usable addresses of this machine: {known}")
    if wanted not in mine:
        raise UsageError(f"{VARIABLE}: {wanted} is no address of this machine; usable ones: {known}")
    return wanted
