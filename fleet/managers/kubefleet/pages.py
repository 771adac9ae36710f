"""Where KubeFleet's programs serve metrics and profiles: plain on loopback."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.host.pages import Pages, Reader, Started, plain
from fleet.managers.kubefleet import names


def of_program(started: Started) -> Pages:
    """The hub agent has no profiles."""
    return plain(started.flag("metrics-bind-address"), started.flag("profiling-bind-address"))


PAGES: Mapping[str, Reader] = {names.HUB_AGENT: of_program, names.MEMBER_AGENT: of_program}
