"""What a control plane of a dense process takes of a machine."""

from __future__ import annotations

from dataclasses import replace

from fleet.host.weight import MIB, Weight
from fleet.model.variables import Variables

SHARING = Weight(50 * MIB, 10, 36, 18, 1.1, 30 * MIB)
"""Measured at rest on 2 cores with 100 WECs, /proc summed by program: 36 MiB of PSS with its part of the etcd, 5
inotify instances with 8 watches; the rest is for a busy one. Ports: its own, and its share of the shard's etcd. Disk:
1 MiB when new, the rest for the etcd's history and the logs until they rotate."""
UNSHARED = replace(SHARING, memory=160 * MIB)
"""With `dense_sharing: false`: 149 MiB each further one of 6 (results/density/dense-unshared)."""
ASLEEP = 5 * MIB
"""Memory of one that sleeps (`dense_hibernate`): 4.5 MiB of 1,000, with its part of the process and of the etcd."""
AWAKE = 4
"""One in so many is taken to be awake."""


def weight(variables: Variables) -> Weight:
    """See `DriverKind`."""
    if variables.dense_hibernate:
        return replace(SHARING, memory=ASLEEP + (SHARING.memory - ASLEEP) // AWAKE)
    return SHARING if variables.dense_sharing else UNSHARED
