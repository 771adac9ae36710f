"""What client limits alone make the first share of all copies wait: the part of down-sync that is theory."""

from __future__ import annotations

import math
from collections.abc import Mapping

from fleet.analysis.theory import Burden, Theory


def floor_at(
    theory: Theory | None, load: tuple[str, int], wecs: int, share: float, limits: Mapping[str, float]
) -> float:
    """Seconds that pass at least until the first `share` of all copies are down; 0 without a theory.

    `load`: layout and objects per policy. Token buckets let calls pass one after another, so what the first q of the
    copies wait for is what a fleet of q times the WECs would wait for in all (`fleet.analysis.prediction` holds the
    floor of the whole against what was measured).
    """
    layout, objects = load
    first = max(1, math.ceil(round(share * wecs, 9)))
    policies = first if layout == "one-to-one" else 1
    floors = None if theory is None else theory.floors(Burden(layout, first, policies, objects, returns=False), limits)
    if floors is None:
        return 0.0
    return floors.fixed + max((floor.seconds for floor in floors.each), default=0.0)
