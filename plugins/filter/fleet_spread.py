"""Filters of the inventory: which machine carries which WECs, and which machines are named twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError


def fleet_spread(hosts: Sequence[str], variables: Mapping[str, Any], names: Sequence[str]) -> dict[str, list[str]]:
    """Machine to WECs; `variables` is hostvars, of which `wec_weight` counts (1 by default)."""
    from fleet.errors import UsageError
    from fleet.model.spread import spread

    try:
        weights = {host: float(variables[host].get("wec_weight", 1)) for host in hosts}
        return spread(weights, list(names))
    except (UsageError, ValueError, TypeError) as error:
        raise AnsibleFilterError(f"{error}. Nothing was changed.") from error


def fleet_doubles(hosts: Sequence[str], variables: Mapping[str, Any]) -> list[str]:
    """Sentences about machines that the inventory names twice: two names for one address and port."""
    seen: dict[tuple[str, str], str] = {}
    found = []
    for host in hosts:
        known = variables[host]
        if known.get("ansible_connection") == "local":
            place = ("this machine", "")
        else:
            place = (str(known.get("ansible_host", host)), str(known.get("ansible_port", 22)))
        other = seen.setdefault(place, host)
        if other != host:
            found.append(f"{host} and {other} are one machine ({':'.join(filter(None, place))})")
    return found


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """By name."""
        return {"fleet_spread": fleet_spread, "fleet_doubles": fleet_doubles}
