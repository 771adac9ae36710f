"""A manager's hop table, looked up in the ways that the join and the samples need; and the order of its stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from fleet.model.manager_record import Aggregation, HopRow, ManagerRecord, StageRow

CREATED, ACTIVATED, READY, REPORTED, FINALIZED = "created", "activated", "ready", "reported", "finalized"
_SHARED = (
    HopRow(mark=CREATED, space="source", per="object"),
    HopRow(mark=ACTIVATED, space="wec"),
    HopRow(mark=READY, space="wec"),
)
"""What is watched whatever the manager: the object where it is sent to, and in each WEC."""
_OF_STATUS = frozenset({READY, REPORTED, FINALIZED})


@dataclass(frozen=True)
class HopTable:
    """Of one manager."""

    manager: ManagerRecord

    @cached_property
    def rows(self) -> dict[str, HopRow]:
        """By mark."""
        return {row.mark: row for row in (*_SHARED, *self.manager.hops) if row.mark}

    @cached_property
    def of_object(self) -> tuple[str, ...]:
        """Marks between `created` and the WECs that an object has once."""
        return tuple(m for m, row in self.rows.items() if row.per == "object" and m not in (CREATED, FINALIZED))

    @cached_property
    def of_wec(self) -> tuple[str, ...]:
        """Marks that an object has per WEC, without those of its status."""
        return tuple(m for m, row in self.rows.items() if row.per == "wec" and m not in _OF_STATUS)

    @cached_property
    def waiting_for(self) -> dict[str, tuple[str, ...]]:
        """By mark: those that count from its version on only."""
        found: dict[str, tuple[str, ...]] = {}
        for mark, row in self.rows.items():
            if row.not_before:
                found[row.not_before] = (*found.get(row.not_before, ()), mark)
        return found

    @cached_property
    def owner(self) -> str:
        """The mark by whose object an object in a WEC must be owned; empty when anybody's counts."""
        return self.rows[ACTIVATED].owned_by

    @cached_property
    def reports(self) -> bool:
        """WECs report statuses by objects of the manager."""
        return REPORTED in self.rows

    @cached_property
    def counts(self) -> bool:
        """An object of the manager says when everything is complete, not the object's own status."""
        return FINALIZED in self.rows and bool(self.rows[FINALIZED].resource)

    @cached_property
    def aggregations(self) -> dict[tuple[str, str], Aggregation]:
        """By group and resource."""
        rules = self.manager.status.aggregations if self.manager.status else ()
        return {(rule.group, rule.resource): rule for rule in rules}

    def mode(self, status: str, group: str, resource: str, wecs: int) -> str:
        """How the status of an object comes back that was planned to as `status`: `none`, `report`, `copy`,
        `aggregate`, or `counts` where it is the manager that counts. One WEC's is copied whatever the rule, unless
        the manager aggregates it too."""
        if status == "none":
            return "none"
        if self.counts:
            return "counts"
        if FINALIZED not in self.rows:
            return "report"
        if status != "aggregate":
            return status
        contract = self.manager.status
        if wecs == 1 and not (contract is not None and contract.aggregates_one):
            return "copy"
        return "aggregate" if (group, resource) in self.aggregations else "report"

    # --- stages, in the order of the path -------------------------------------------------------------------------
    @cached_property
    def object_stages(self) -> tuple[StageRow, ...]:
        """Per object, on the way to the WECs."""
        return tuple(s for s in self.manager.stages if s.per == "object" and not _tells_status(s))

    @cached_property
    def wec_stages(self) -> tuple[StageRow, ...]:
        """Per WEC, on the way there."""
        return tuple(s for s in self.manager.stages if s.per == "wec" and not _tells_status(s))

    @cached_property
    def status_stages(self) -> tuple[StageRow, ...]:
        """Per WEC, on the way back."""
        return tuple(s for s in self.manager.stages if s.per == "wec" and _tells_status(s))

    @cached_property
    def final_stages(self) -> tuple[StageRow, ...]:
        """Per object, on the way back."""
        return tuple(s for s in self.manager.stages if s.per == "object" and _tells_status(s))

    @cached_property
    def stages(self) -> tuple[str, ...]:
        """Every stage that a sample can be of."""
        return (
            "send_lag",
            *_names(self.object_stages),
            *_names(self.wec_stages),
            "downsync",
            "downsync_scheduled",
            "downsync_last",
            "downsync_spread",
            "workload",
            *_names(self.status_stages),
            *_names(self.final_stages),
            "status",
            "e2e",
            "e2e_scheduled",
            "e2e_reported",
        )

    @cached_property
    def rank(self) -> dict[str, int]:
        """Place of each stage in that order."""
        return {stage: number for number, stage in enumerate(self.stages)}


def _tells_status(stage: StageRow) -> bool:
    return not _OF_STATUS.isdisjoint((stage.begins, stage.ends))


def _names(stages: Sequence[StageRow]) -> tuple[str, ...]:
    return tuple(stage.name for stage in stages)
