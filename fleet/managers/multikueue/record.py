"""MultiKueue as data: whose programs are its own. The marks of a Job are those of the experiment `job-dispatch`."""

from __future__ import annotations

from fleet.managers.multikueue import names
from fleet.model.client_limits import ClientLimits
from fleet.model.fleet_file import FleetFile
from fleet.model.manager_record import ManagerRecord

RECORD = ManagerRecord(
    name="multikueue",
    title="MultiKueue",
    terms={"source": "hub", "transport": "hub", "wec": "worker"},
    components=(names.CONTROLLER, names.WORKER),
    agents=(names.WORKER,),
)


def record(fleet: FleetFile) -> ManagerRecord:
    """What `run.json` keeps."""
    defaults = {name: value for name, value in ClientLimits().model_dump().items() if name in fleet.limits}
    title = f"MultiKueue (Kueue {fleet.manager.version})"
    return RECORD.model_copy(update={"version": fleet.manager.version, "title": title, "defaults": defaults})
