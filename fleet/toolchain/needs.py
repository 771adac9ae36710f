"""What a fleet needs of the toolchain, from its variables."""

from __future__ import annotations

from fleet.model.variables import Variables


def needs_of(variables: Variables) -> frozenset[str]:
    """`<kind>:<name>` for everything that a group of `toolchain/versions.yaml` may be for."""
    version = f"@{variables.manager_version}" if variables.manager_version else ""
    return frozenset(
        {
            f"manager:{variables.manager}{version}",
            f"simulator:{variables.node_simulator}",
            f"driver:{variables.control_plane_driver}",
            f"driver:{variables.hub_driver}",
            *(f"platform:{name}" for name in variables.platform),
        }
    )
