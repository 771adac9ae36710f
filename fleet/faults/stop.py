"""The fault `stop`: a control plane by its driver, or a program by its supervisor, as `fleet cluster stop` does."""

from __future__ import annotations

from pathlib import Path

from fleet.errors import UsageError
from fleet.faults.fault import Aim
from fleet.host.supervise import Supervisor
from fleet.install.control_planes import driver_at
from fleet.model.fleet_file import Cluster, Component, FleetFile
from fleet.model.model_errors import nearest, shown

SERVING = frozenset({"etcd", "kube-apiserver"})
"""Without one of these a control plane does not answer."""
SHARED = frozenset({"dense", "etcd"})
"""Without a cluster of their own these carry every control plane of the machine's dense processes."""


class Stop:
    """See `Fault`."""

    name = "stop"

    def aim(self, target: str, fleet: FleetFile) -> Aim:
        """See `Fault`."""
        for cluster in fleet.clusters:
            if cluster.name == target:
                return _control_plane(cluster, fleet)
        for component in fleet.components:
            if component.program == target:
                return _program(component, fleet)
        names = [*(cluster.name for cluster in fleet.clusters), *(part.program for part in fleet.components)]
        raise UsageError(
            f"the fleet {fleet.name} has no control plane or program {shown(target)}{nearest(target, names)}"
        )

    def inject(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        if aim.kind == "program":
            Supervisor(root).stop(aim.target)
        else:
            driver_at(aim.fleet, root, aim.target).stop(aim.target)

    def heal(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        if aim.kind == "program":
            supervisor = Supervisor(root)
            supervisor.start(aim.target)
            supervisor.settle([aim.target])
        else:
            driver_at(aim.fleet, root, aim.target).start(aim.target)


def _control_plane(cluster: Cluster, fleet: FleetFile) -> Aim:
    if not cluster.built:
        raise UsageError(f"{cluster.name} was not built by this testbed (driver {cluster.driver}): it cannot stop it")
    return Aim(
        action=Stop.name,
        target=cluster.name,
        kind="control plane",
        fleet=fleet.name,
        machine=cluster.machine,
        clusters=[cluster.name],
        programs=[part.program for part in fleet.components if part.cluster == cluster.name],
        repair=f"fleet cluster start {cluster.name} --fleet {fleet.name}",
    )


def _program(component: Component, fleet: FleetFile) -> Aim:
    if component.cluster:
        clusters = [component.cluster] if component.component in SERVING else []
    else:
        dense = [c.name for c in fleet.clusters if (c.driver, c.machine) == ("dense", component.machine)]
        clusters = dense if component.component in SHARED else []
    return Aim(
        action=Stop.name,
        target=component.program,
        kind="program",
        fleet=fleet.name,
        machine=component.machine,
        clusters=clusters,
        programs=[component.program],
        repair=f"fleet up -e fleet_name={fleet.name}",
    )
