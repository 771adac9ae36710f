"""A fleet that `site.yml` has not completed, with what its machines have by now."""

from __future__ import annotations

from pathlib import Path

from fleet.host.layout import Layout
from fleet.inventory.inspection import inspect
from fleet.model.fleet_file import FleetFile


def as_it_is_now(fleet: FleetFile) -> FleetFile:
    """Of a fleet that is not complete: with the control planes and programs that its machines have by now.

    Only of machines that are this one; a control plane without a kubeconfig is not far enough to be asked.
    """
    if fleet.state == "built":
        return fleet
    local = [machine for machine in fleet.machines if machine.connection == "local"]
    found = [inspect(Layout(Path(m.state_dir)), m.name, fleet.versions, secrets=False) for m in local]
    names = {machine.name for machine in local}
    clusters = [c for c in fleet.clusters if c.machine not in names]
    clusters += [c for part in found for c in part.clusters]
    components = [c for c in fleet.components if c.machine not in names]
    components += [c for part in found for c in part.components]
    there = [cluster for cluster in clusters if Path(cluster.kubeconfig).exists()]
    return fleet.model_copy(update={"clusters": there, "components": components})
