"""What an OCM hub and its agents take of a machine, measured at rest on 2 cores (`fleet.host.limits` says how)."""

from __future__ import annotations

from fleet.host.weight import MIB, Weight
from fleet.install.program_parts import Extra
from fleet.managers.ocm.programs import fits_host
from fleet.model.variables import Variables

PLANE = Weight(420 * MIB, 12, 40, 50, 3, 400 * MIB)
"""A control plane of the hub, with its part of the manager's programs and of the supervisor: 350 MiB and 36 threads for
each of KubeStellar's two, with 2 WECs as with 6; inotify 10 in the ITS, 5 in the WDS. The rest is for a busy one; what
grows with the WECs is in `AGENT`. Plain OCM's one plane has about as many programs."""
AGENT = Weight(38 * MIB, 2, 4, 12, 1, 10 * MIB)
"""The agent of a WEC at one hub: 22 to 27 MiB and one inotify instance; and 16 MiB for what a WEC adds to the hub, so
that 100 dense WECs with it come to 14.5 GiB. Its port is that of its metrics."""
HOSTED = Weight(14 * MIB, 0, 0, 12, 0, 10 * MIB)
"""The same where agents share processes: 4.5 MiB and 7 threads with 100 WECs at rest, the status agent's part included.
The rest is for a busy one, and for the hub."""


def agent(variables: Variables) -> Weight:
    """What a WEC of a fleet with these variables takes at one hub."""
    settings = Extra(variables.ocm_agents_extra_args, variables.ocm_agents_env)
    return HOSTED if variables.programs_shared and fits_host(settings) else AGENT
