"""The life of objects in one control plane in five parts; every experiment about one reports by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

Part = Literal["creation", "scheduling", "management", "monitoring", "clean-up"]
PARTS: Mapping[Part, str] = {
    "creation": "Creation: requests, webhooks, and every phase until an object works",
    "scheduling": "Scheduling: how soon objects are bound, and how evenly",
    "management": "Management: requests, errors, conflicts and retries, and what each program took",
    "monitoring": "Monitoring: how soon a change of health is seen",
    "clean-up": "Clean-up: how soon everything is gone",
}
"""Each with its title. The parts are those that the simulator's page on single clusters names."""


def errors_by_code(rows: Sequence[Sequence[object]], code: int, count: int) -> dict[str, float]:
    """Of a table of requests (`code`, `count`: places of those columns) the sums of answers that were no success."""
    sums: dict[str, float] = {}
    for row in rows:
        text = str(row[code])
        if text[:1] in ("4", "5") or text in ("<error>", "ERROR"):
            sums[text] = sums.get(text, 0.0) + float(str(row[count]))
    return dict(sorted(sums.items(), key=lambda item: -item[1]))
