"""Where a dense process serves metrics and profiles."""

from __future__ import annotations

from fleet.host.pages import PPROF, Pages, Started


def of_dense(started: Started) -> Pages:
    """Profiles over its admin socket; its metrics, which are all instances' together, by its first instance."""
    instances = sorted((started.layout.dense / started.place / "instances").glob("*.json"))
    first = instances[0].stem if instances else ""
    metrics = started.behind(started.servers.get(first, ""), first)
    return Pages(metrics.metrics, f"unix:{started.layout.run / f'dense-{started.place}.sock'}:{PPROF}", metrics.tls)
