"""Where Karmada's programs serve metrics and profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fleet.host.pages import PPROF, Pages, Reader, Started, plain
from fleet.managers.karmada import names


def of_program(started: Started) -> Pages:
    """Plain on loopback."""
    return plain(started.flag("metrics-bind-address"), started.flag("profiling-bind-address"))


def of_aggregated(started: Started) -> Pages:
    """Metrics behind its own port, which asks the hub who may look; profiles plain on loopback."""
    behind = started.behind(f"https://127.0.0.1:{started.flag('secure-port')}", started.place)
    # One page has one way in: the certificate is for both, and plain HTTP needs none.
    return replace(behind, pprof=f"http://{started.flag('profiling-bind-address')}{PPROF}")


PAGES: Mapping[str, Reader] = {
    names.AGGREGATED: of_aggregated,
    names.WEBHOOK: of_program,
    names.CONTROLLER: of_program,
    names.SCHEDULER: of_program,
    names.AGENT: of_program,
}
