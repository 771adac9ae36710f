"""What KubeStellar on OCM must take at least: its rate limits, its agents' round trips, WDSes that share an ITS.

Where a stage crosses the link, restated from OCM 1.2.0 (read in its source):

- `delivery` (ManifestWork in the ITS to AppliedManifestWork in the WEC): the agent hears of the work (half a round
  trip: its watch is open), and does nothing before the work carries its finalizer. It requests that with a PATCH (half
  a round trip until the hub has it) and goes on when the hub says it of the change (half a round trip): 1.5.
- The agent requests one finalizer at a time and waits for the answer (its AddFinalizer controller has one worker, the
  one that applies has ten). Works that come faster than one per round trip wait for each other: a WEC takes at most
  1/rtt new works a second. How long each waits follows from when the works were there, which was recorded.
- `binding`, `packaging` and `finalization` happen in the hub, `activation` and `workload` in the WEC: 0.
- `downsync` is the sum of binding, packaging, delivery and activation: as delivery.

Nothing is predicted for `report`: the status agent's calls overlap with the WEC's own work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fleet.analysis.recorded import Recorded
from fleet.analysis.summary import Row
from fleet.analysis.theory import Burden, Floor, Floors, LinkTheory
from fleet.managers.kubestellar.prediction import predict
from fleet.managers.kubestellar.record import HOLD_BACK_SECONDS
from fleet.managers.kubestellar.sharing import Sharing, sharing
from fleet.model.client_limits import ClientLimits
from fleet.results.run import RunRecord


class KubeStellarTheory:
    """Of KubeStellar 0.30 on OCM 1.2."""

    limits_text = (
        "The least time that the token buckets of KubeStellar's own clients allow (grey), alongside what was measured. "
        "The transport controller needs two calls on the ITS for each new ManifestWork; a full bucket lets its burst "
        "pass at once, then its QPS. Every further event makes it list and read again, which the floor leaves out."
    )
    link = LinkTheory(
        stage="delivery",
        hears=0.5,
        asks=1.0,
        elsewhere=frozenset({"binding", "packaging", "activation", "workload", "finalization"}),
        crossing=frozenset({"delivery", "downsync"}),
        text="delivery must make 1.5: the work comes, the agent requests its finalizer, the hub reports it. An agent "
        "requests one at a time, so that works which come faster than one per round trip wait for each other.",
    )

    def floors(self, burden: Burden, limits: Mapping[str, float]) -> Floors:
        """By the four buckets that every object passes."""
        its, wds, bindings, statuses = predict(
            burden.layout,
            burden.wecs,
            burden.objects,
            ClientLimits.model_validate(limits),
            returns=burden.returns,
            policies=burden.policies,
        )
        each = (
            Floor("the transport controller on the ITS", "ITS calls", its),
            Floor("the transport controller on the WDS", "WDS calls", wds),
            Floor("the controller-manager on the WDS", "Bindings", bindings),
        )
        return Floors(each, HOLD_BACK_SECONDS, max(its, wds, statuses) if burden.returns else None)

    def sharing(self, run: RunRecord, recorded: Recorded, rows: Sequence[Row]) -> Sequence[Sharing]:
        """Of a run whose points are numbers of WDSes."""
        its_of = {source.name: run.fleet.transport_of(source.name) for source in run.fleet.sources()}
        return sharing(recorded, rows, its_of)


THEORY = KubeStellarTheory()
