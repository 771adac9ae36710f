"""No manager, as data: an object is created, appears and becomes ready in one cluster."""

from __future__ import annotations

from fleet.model.fleet_file import FleetFile
from fleet.model.manager_record import ManagerRecord

RECORD = ManagerRecord(name="none", terms={"source": "WEC", "transport": "", "wec": "WEC"}, downsync_begins="sent")


def record(fleet: FleetFile) -> ManagerRecord:  # noqa: ARG001 - as of every manager
    """What `run.json` keeps."""
    return RECORD
