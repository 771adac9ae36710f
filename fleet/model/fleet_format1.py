"""Reads the first format of `fleet.json`, which knew one manager: its spaces and limits were fields of the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.model.pairing import paired

SOURCE, TRANSPORT = "wds", "its"


def upgraded(data: Any) -> Any:
    """The same fleet in format 2; whatever is not a whole document of format 1 stays as it is."""
    if not isinstance(data, Mapping) or data.get("format", 2) != 1 or not isinstance(data.get("status_agent"), Mapping):
        return data
    rest = {key: value for key, value in data.items() if key != "status_agent"}
    agent = data["status_agent"]
    sources, transports = (_names(data.get("clusters"), role) for role in (SOURCE, TRANSPORT))
    manager = {
        "name": "kubestellar",
        "version": str((data.get("versions") or {}).get("kubestellar-controller-manager", "")),
        "source": SOURCE,
        "transport": TRANSPORT,
        "transports": paired(sources, transports),
        "served": _served(data.get("components"), sources),
        "facts": {
            "status_agent": str(agent.get("implementation", "fleet")),
            "status_agent_version": str(agent.get("version", "")),
        },
    }
    return {**rest, "format": 2, "manager": manager}


def _names(clusters: Any, role: str) -> list[str]:
    found = clusters if isinstance(clusters, list) else []
    return sorted(str(c.get("name")) for c in found if isinstance(c, Mapping) and c.get("role") == role)


def _served(components: Any, sources: list[str]) -> list[str] | None:
    """Those with a transport controller; None where the file has no such program."""
    found = components if isinstance(components, list) else []
    running = {c.get("cluster") for c in found if isinstance(c, Mapping) and c.get("component") == "transport"}
    return [source for source in sources if source in running] or None
