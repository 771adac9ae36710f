"""What one machine holds of the fleet, read there, for the fleet file that is written on the controller."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from fleet.host.layout import Layout
from fleet.host.records import stored_planes
from fleet.inventory.components import read_components
from fleet.managers.installed import installed
from fleet.managers.installer import installer
from fleet.model.base import Model
from fleet.model.fleet_file import Cluster, Component


class Inspection(Model):
    """One machine's part of the fleet file; paths of kubeconfigs are that machine's own."""

    machine: str
    clusters: list[Cluster] = Field(default_factory=list)
    components: list[Component] = Field(default_factory=list)
    kubeconfigs: dict[str, str] = Field(default_factory=dict, repr=False)
    """Admin kubeconfigs by cluster: secrets. Empty on the controller itself, where they already lie."""


def inspect(layout: Layout, machine: str, versions: Mapping[str, str], *, secrets: bool) -> Inspection:
    """Read the machine's folder; an empty one before anything was built."""
    manager = installed(layout)
    labels = installer(manager).labels(layout) if manager else {}
    planes = stored_planes(layout)
    return Inspection(
        machine=machine,
        clusters=[
            Cluster(
                name=plane.name,
                role=plane.role,
                machine=machine,
                driver=plane.driver,
                server=plane.server,
                kubeconfig=str(layout.kubeconfig(plane.name)),
                labels=dict(labels.get(plane.name, {})),
            )
            for plane in planes
        ],
        components=read_components(layout, machine, versions),
        kubeconfigs={
            plane.name: layout.kubeconfig(plane.name).read_text(encoding="utf-8")
            for plane in planes
            if secrets and layout.kubeconfig(plane.name).exists()
        },
    )
