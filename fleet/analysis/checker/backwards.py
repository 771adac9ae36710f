"""Rule `backwards`: no older version comes after a newer one."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from fleet.analysis.checker.rule import Finding
from fleet.analysis.history import History
from fleet.analysis.past_trials import Deleted
from fleet.results.events import HopSeen, Line, WorkloadSeen

_GENERATION = "generation"


class Backwards:
    """See `Rule`."""

    name = "backwards"
    says = (
        "No older version comes after a newer one: neither the generation of an object nor the version that a manager "
        "writes on what carries it ever falls. WECs that a fault put back to an older state are not judged afterwards."
    )

    def __init__(self, history: History) -> None:
        self.history = history
        self._newest: dict[tuple[str, str, str], tuple[int, int]] = {}
        """By cluster, what of, uid: the largest version, and its line."""
        self._deleted = Deleted[tuple[str, str, str]]()
        self._found: list[Finding] = []

    def feed(self, number: int, line: Line) -> None:
        """See `Rule`."""
        for key in self._deleted.old(line):
            self._newest.pop(key, None)
        match line:
            case WorkloadSeen():
                what, version, shown = _GENERATION, line.generation, f"{line.ref.resource}/{line.ref.namespace}"
                shown, ops = f"{shown}/{line.ref.name}", [line.op] if line.op else []
            case HopSeen():
                if line.again:
                    return
                what, version, ops = sys.intern(f"version at {line.hop}"), line.version, []
                shown = f"{line.resource}/{line.namespace}/{line.name}"
            case _:
                return
        key = (line.cluster, what, line.uid)
        if line.type == "DELETED":
            self._deleted.add(key)
            return
        if not version:
            return
        known, before = self._newest.get(key, (0, 0))
        if version >= known:
            self._newest[key] = version, number
        elif not self.history.is_rewound(line.cluster, line.ns):
            text = f"{shown} in {line.cluster} fell back from {what} {known} to {version} at {self.history.at(line.ns)}"
            self._found.append(
                Finding(
                    rule=self.name,
                    text=text,
                    trial=next((self.history.planned[op].trial for op in ops if op in self.history.planned), ""),
                    cluster=line.cluster,
                    object=shown,
                    lines=[before, number],
                    ops=ops,
                    uids=[line.uid],
                )
            )

    def findings(self) -> Iterator[Finding]:
        """One per fall."""
        yield from self._found
