"""Where OCM's programs serve metrics and profiles."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.host.hosted import of_host
from fleet.host.pages import Pages, Reader, Started
from fleet.managers.ocm import names


def of_program(started: Started) -> Pages:
    """With a certificate of the fleet; without one (an older build) nobody could distinguish it from a stranger."""
    listens = started.flag("config") and started.flag("listen")
    return started.behind(f"https://{listens}" if listens else "", started.place)


ALIKE: Mapping[str, Reader] = {
    "registration": of_program,
    names.AGENT_COMPONENT: of_program,
    names.HOST_COMPONENT: of_host,
}
"""Components of every manager on OCM."""
PLACING: Mapping[str, Reader] = {"placement": of_program, "work-manager": of_program}
"""Those that make ManifestWorks, of plain OCM."""
