"""Karmada 1.16 as data: marks, stages, and how it returns statuses (read in its source, seen live)."""

from __future__ import annotations

from fleet.kube.resources import KARMADA_WORKS, PROPAGATION_POLICIES, RESOURCE_BINDINGS
from fleet.managers.karmada import names
from fleet.model.client_limits import ClientLimits
from fleet.model.fleet_file import FleetFile
from fleet.model.manager_record import Aggregation, HopRow, ManagerRecord, StageRow, StatusContract

POLICY = HopRow(mark="", space="source", resource=str(PROPAGATION_POLICIES))
BOUND = HopRow(mark="bound", space="source", resource=str(RESOURCE_BINDINGS), per="object")
SCHEDULED = HopRow(mark="scheduled", space="source", resource=str(RESOURCE_BINDINGS))
PACKAGED = HopRow(mark="packaged", space="transport", resource=str(KARMADA_WORKS))
APPLIED = HopRow(mark="applied", space="transport", resource=str(KARMADA_WORKS))
REPORTED = HopRow(mark="reported", space="transport", resource=str(KARMADA_WORKS), compares="fields")

MODE_FACT, PULL = "mode", "pull"
"""Of the fleet file's manager: `pull` or `push`."""
_SUMMED = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas", "unavailableReplicas")

RECORD = ManagerRecord(
    name="karmada",
    title="Karmada",
    terms={"source": "hub", "transport": "hub", "wec": "WEC"},
    hops=(
        HopRow(mark="created", space="source", per="object"),
        BOUND,
        SCHEDULED,
        PACKAGED,
        HopRow(mark="activated", space="wec"),
        APPLIED,
        HopRow(mark="ready", space="wec"),
        REPORTED,
        HopRow(mark="finalized", space="source", per="object"),
    ),
    stages=(
        StageRow(name="binding", text="Hub object to ResourceBinding", begins="created", ends="bound", per="object"),
        StageRow(
            name="scheduling", text="Hub object to WEC in its ResourceBinding", begins="created", ends="scheduled"
        ),
        StageRow(name="packaging", text="WEC in the ResourceBinding to Work", begins="scheduled", ends="packaged"),
        StageRow(name="delivery", text="Work to WEC object", begins="packaged", ends="activated"),
        StageRow(name="acknowledgement", text="WEC object to condition Applied", begins="activated", ends="applied"),
        StageRow(name="report", text="Final WEC status to Work status", begins="ready", ends="reported"),
        StageRow(
            name="finalization",
            text="Last Work status to hub status",
            begins="reported",
            ends="finalized",
            per="object",
        ),
    ),
    status=StatusContract(
        summary="Finalized: the object at the hub has the sum of all WECs' counters (of one WEC too), at or after each"
        " WEC's Work has the fields of its object's final status; conditions are not returned.",
        aggregations=(
            # Its observedGeneration is that of the hub's object: Karmada's own annotations have made it another one.
            Aggregation(group="apps", resource="deployments", summed=_SUMMED, own=("observedGeneration",)),
        ),
        aggregates_one=True,
    ),
    components=(*names.HUB_COMPONENTS, names.AGENT),
    agents=(names.AGENT,),
    scraped=(names.CONTROLLER, names.SCHEDULER),
)


def record(fleet: FleetFile) -> ManagerRecord:
    """What `run.json` keeps; the version carries the mode, since the two are different ways to a WEC."""
    mode = fleet.manager.facts.get(MODE_FACT, PULL)
    defaults = {name: value for name, value in ClientLimits().model_dump().items() if name in fleet.limits}
    # Without agents, those that run at the hub are all that there is.
    agents = RECORD.agents if mode == PULL else ()
    changes = {"version": fleet.manager.version, "title": f"Karmada ({mode})", "defaults": defaults, "agents": agents}
    return RECORD.model_copy(update=changes)
