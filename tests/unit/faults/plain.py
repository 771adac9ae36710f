"""The manager of the fleet of `conftest`, as far as faults ask it."""

from __future__ import annotations

from fleet.model.manager_record import ManagerRecord

PLAIN = ManagerRecord(name="m", components=("registration", "transport", "agent"), agents=("agent",))
