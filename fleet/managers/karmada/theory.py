"""What Karmada must take at least by the client limits of its hub's programs: floors by token buckets.

Facts restated from Karmada 1.16 (read in its source; one client, and so one bucket, serves a whole program):

- The controller-manager writes each object once (who has claimed it), its ResourceBinding, and a Work for each WEC.
- The scheduler writes the ResourceBinding once.
- For a status that returns the controller-manager writes the ResourceBinding's and the object's.

These are floors: it reads and writes more than that, and Events pass the same bucket.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fleet.analysis.recorded import Recorded
from fleet.analysis.summary import Row
from fleet.analysis.theory import Burden, Floor, Floors, LinkTheory
from fleet.managers.token_bucket import bucket
from fleet.model.base import Model
from fleet.results.run import RunRecord

CALLS_PER_OBJECT = 2
CALLS_PER_RETURNED_STATUS = 2


class KarmadaTheory:
    """Of Karmada 1.16, in both modes: what agents do alongside each other is left out."""

    limits_text = (
        "The least time that the token buckets of Karmada's controller-manager and scheduler allow (grey), and what "
        "was measured: for each object two writes and one for each WEC, and one of the scheduler. A full bucket lets "
        "its burst pass at once, then its QPS. Further writes, reads and Events take tokens that the floor leaves out."
    )
    link: LinkTheory | None = None

    def floors(self, burden: Burden, limits: Mapping[str, float]) -> Floors | None:
        """By the two buckets that every object passes; None where the limits are not known."""
        names = (
            "karmada_controller_qps",
            "karmada_controller_burst",
            "karmada_scheduler_qps",
            "karmada_scheduler_burst",
        )
        if not all(name in limits for name in names):
            return None
        qps, burst, scheduler_qps, scheduler_burst = (limits[name] for name in names)
        objects = burden.policies * burden.objects
        writes = objects * (CALLS_PER_OBJECT + (1 if burden.layout == "one-to-one" else burden.wecs))
        there, scheduled = bucket(writes, qps, burst), bucket(objects, scheduler_qps, scheduler_burst)
        back = bucket(writes + CALLS_PER_RETURNED_STATUS * objects, qps, burst)
        each = (
            Floor("the controller-manager on the hub", "hub writes", there),
            Floor("the scheduler on the hub", "bindings", scheduled),
        )
        return Floors(each, 0.0, max(back, scheduled) if burden.returns else None)

    def sharing(self, run: RunRecord, recorded: Recorded, rows: Sequence[Row]) -> Sequence[Model]:  # noqa: ARG002
        """One hub, one source."""
        return ()


THEORY = KarmadaTheory()
