"""Nothing is watched besides the objects of the workload."""

from __future__ import annotations

from fleet.managers.manager import Hop

HOPS: tuple[Hop, ...] = ()
