"""The WEC in which a platform is under test."""

from __future__ import annotations

from fleet.errors import UsageError
from fleet.model.fleet_file import FleetFile


def platform_wec(fleet: FleetFile, platform: str, shown: str, setting: str) -> str:
    """The first WEC that has the platform; UsageError where there is none, which names the command that makes one.

    `shown`: its name for people. `setting`: what such a fleet needs besides, as `wec_nodes=100`.
    """
    for one in fleet.platforms:
        if one.name == platform and one.wecs:
            return one.wecs[0]
    raise UsageError(
        f"fleet {fleet.name} has no {shown}: fleet up -e manager=none -e wec_count=1 -e {setting}"
        f" -e platform={platform}"
    )
