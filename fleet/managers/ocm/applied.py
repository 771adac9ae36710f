"""An AppliedManifestWork: the agent's own record in a WEC of a ManifestWork that reached it."""

from __future__ import annotations

from fleet.managers.fields import Object, text, within
from fleet.managers.manager import Fact, Told


def applied(obj: Object, cluster: str) -> Told:
    """It names its ManifestWork; names are used again when one is made again."""
    return Told(facts=[Fact(("work", cluster, text(within(obj, "spec"), "manifestWorkName")), cluster)])
