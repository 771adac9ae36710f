"""No manager: each WEC is its own source, so an object has arrived as soon as it was created there.

What remains of an object's way is what its WEC does: created and activated are the same watch event, so that `downsync`
begins at the driver's request; then ready. There is no policy, hence one-to-one only: one object in several WECs would
be several objects.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.resources import Resource
from fleet.managers.leftovers import check_leftovers
from fleet.managers.manager import Cleaning, Plain, Policy, Registration, Spaces, Write
from fleet.managers.none.hops import HOPS
from fleet.managers.none.record import record
from fleet.model.fleet_file import FleetFile
from fleet.model.kinds import is_returned
from fleet.model.manager_record import ManagerRecord


class NoManager(Plain):
    """Control planes alone."""

    name = "none"
    layouts = ("one-to-one",)
    hops = HOPS
    made = ()
    rights = ()
    swept = ()

    def record(self, fleet: FleetFile) -> ManagerRecord:
        """What `run.json` keeps."""
        return record(fleet)

    def roles(self) -> Mapping[str, str]:
        """No hub."""
        return {}

    def status_return(self, resource: Resource, clusters: int) -> str:  # noqa: ARG002 - as every manager
        """It is read where the object was written."""
        return "report" if is_returned(resource.group, resource.plural) else "none"

    def policies(self, policy: Policy) -> Sequence[Write]:  # noqa: ARG002 - as every manager
        """None."""
        return ()

    async def registrations(self, transport: KubeClient, wecs: Collection[str]) -> Mapping[str, Registration]:  # noqa: ARG002
        """There is nothing to register at."""
        return {}

    async def check(self, spaces: Spaces) -> None:
        """No namespace of an earlier run."""
        await each(spaces.wecs.values(), lambda wec: check_leftovers(wec, resources.NAMESPACES, "namespaces"))

    async def remove(self, spaces: Spaces, run_id: str | None, cleaning: Cleaning, seconds: float) -> None:
        """Nobody made anything."""


MANAGER = NoManager()
