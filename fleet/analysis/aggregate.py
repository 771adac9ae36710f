"""How the statuses of several WECs become one, by a manager's rules (`fleet.model.manager_record.Aggregation`).

Each counter is the smallest (or the largest, or the sum) of the values that are present: a WEC that does not report a
counter is skipped, not counted as 0. Of the conditions one that reports a failure is kept, from any WEC, or none. An
API server then drops empty lists and, for most counters, zeros; `normal` drops them on both sides before comparing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.analysis.final import digest
from fleet.model.manager_record import Aggregation


@dataclass(frozen=True, slots=True)
class Part:
    """What one WEC's status adds to the aggregate; small, so that thousands can be kept."""

    counters: tuple[tuple[str, int], ...]
    condition: Any = None


def part(rule: Aggregation, status: Mapping[str, Any]) -> Part:
    """What one status adds."""
    counters = tuple(
        (field, status[field])
        for field in (*rule.smallest, *rule.largest, *rule.summed)
        if _is_counter(status.get(field))
    )
    return Part(counters, _failure(rule, status))


def aggregate(rule: Aggregation, parts: Iterable[Part]) -> dict[str, Any]:
    """The aggregated status over one or more WECs. A failing condition is the first one found (a manager's order may be
    random; final statuses have none)."""
    every = list(parts)
    values: dict[str, list[int]] = {}
    for one in every:
        for field, value in one.counters:
            values.setdefault(field, []).append(value)
    status: dict[str, Any] = {field: min(values.get(field, [0])) for field in rule.smallest}
    status |= {field: max(values.get(field, [0])) for field in rule.largest}
    status |= {field: sum(values.get(field, [])) for field in rule.summed}
    if rule.condition is not None:
        status["conditions"] = next(([one.condition] for one in every if one.condition is not None), [])
    return status


def normal(status: Any) -> dict[str, Any]:
    """A status without zeros, empty lists, empty maps and nulls at its top level; {} when it is no map."""
    if not isinstance(status, Mapping):
        return {}
    return {key: value for key, value in status.items() if value not in (0, None, [], {}, "")}


def normal_digest(status: Any, own: Collection[str] = ()) -> bytes:
    """The digest by which an aggregate is compared with what the source shows, without fields that are its `own`."""
    return digest({key: value for key, value in normal(status).items() if key not in own})


def _is_counter(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _failure(rule: Aggregation, status: Mapping[str, Any]) -> Any:
    conditions = status.get("conditions")
    if rule.condition is None or not isinstance(conditions, list):
        return None
    kind, reason = rule.condition
    for condition in conditions:
        if not isinstance(condition, Mapping) or condition.get("type") != kind:
            continue
        if reason is None or condition.get("reason") == reason:
            return condition
    return None
