"""The least time that KubeStellar's client-side rate limits allow: floors by token buckets.

Facts restated from KubeStellar 0.30.0 and OCM 1.2.0 (read in their source, seen live):

- The controller-manager holds each Binding sync back by 2 s.
- The transport controller needs two calls on the ITS per ManifestWork that is new (GET, then CREATE), one after the
  other, all through one token bucket; `ceil(W / max_num_wrapped)` ManifestWorks per WEC and policy.
- It reads each workload object from the WDS once per sync, through another bucket.
- The controller-manager writes a Binding once per policy, and for each returned status a label and the status (two
  calls), all through its WDS bucket.
- The status agent of a WEC needs four calls on the hub for an object's first report (the stand-in two).

A token bucket that is full lets `burst` calls pass at once and then `qps` per second: n calls take at least
max(0, (n - burst) / qps). Buckets work side by side, so the slowest decides. These are floors: every event on a
ManifestWork makes the transport controller list and read again, which takes tokens that are not counted here.
"""

from __future__ import annotations

import math

from fleet.managers.token_bucket import bucket
from fleet.model.client_limits import ClientLimits

CALLS_PER_WORK = 2
CALLS_PER_RETURNED_STATUS = 2


def predict(
    layout: str, wecs: int, objects: int, limits: ClientLimits, *, returns: bool, policies: int = 0
) -> tuple[float, ...]:
    """Floors (ITS, transport on WDS, controller for Bindings, controller with statuses), seconds, hold-back left out.

    `objects` counts per policy. `policies` 0: one-to-one has a policy per WEC, one-to-many has one.
    """
    policies = policies or (wecs if layout == "one-to-one" else 1)
    works = policies * (1 if layout == "one-to-one" else wecs) * math.ceil(objects / limits.max_num_wrapped)
    its = bucket(CALLS_PER_WORK * works, limits.transport_its_qps, limits.transport_its_burst)
    wds = bucket(policies * objects, limits.transport_wds_qps, limits.transport_wds_burst)
    qps, burst = limits.controller_wds_qps, limits.controller_wds_burst
    bindings = bucket(policies, qps, burst)
    statuses = bucket(policies + CALLS_PER_RETURNED_STATUS * policies * objects, qps, burst) if returns else bindings
    return its, wds, bindings, statuses
