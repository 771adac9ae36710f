"""Rule `watch`: watches keep what the API promises of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.analysis.checker.rule import Finding
from fleet.analysis.history import History
from fleet.analysis.past_trials import Deleted
from fleet.results.events import HopSeen, Line, WorkloadSeen


@dataclass(slots=True)
class _Known:
    version: int
    number: int
    exists: bool


class WatchOrder:
    """See `Rule`."""

    name = "watch"
    says = (
        "Watches keep the API's promises: the versions of an object come in the order of their resourceVersions, each "
        "once; an object is announced before it changes; nothing of it comes after its deletion, but where a gap is "
        "marked. WECs that a fault put back to an older state are not judged afterwards."
    )

    def __init__(self, history: History) -> None:
        self.history = history
        self._known: dict[tuple[str, str, str], _Known] = {}
        """By cluster, row of the hop table (empty: the workload) and uid."""
        self._deleted = Deleted[tuple[str, str, str]]()
        self._found: list[Finding] = []

    def feed(self, number: int, line: Line) -> None:
        """See `Rule`."""
        for old in self._deleted.old(line):
            if old in self._known and not self._known[old].exists:
                del self._known[old]
        match line:
            case WorkloadSeen():
                hop, shown = "", f"{line.ref.resource}/{line.ref.namespace}/{line.ref.name}"
            case HopSeen():
                hop, shown = line.hop, f"{line.resource}/{line.namespace}/{line.name}"
            case _:
                return
        if self.history.is_rewound(line.cluster, line.ns) or not line.rv.isdecimal():
            return
        key, version = (line.cluster, hop, line.uid), int(line.rv)
        known = self._known.get(key)
        inferred = line.listed or line.gap
        wrong = ""
        if not inferred:
            wrong = self._wrong(known, line, version)
        elif known is not None and version < known.version:
            wrong = f"a list shows version {version}, older than {known.version}"
        if wrong:
            self._find(number, line, known, shown, wrong)
        if line.type == "DELETED":
            self._deleted.add(key)
        self._known[key] = _Known(max(version, known.version if known else 0), number, line.type != "DELETED")

    @staticmethod
    def _wrong(known: _Known | None, line: WorkloadSeen | HopSeen, version: int) -> str:
        """Of what a watch itself has said. A row of a hop table may pass over an object's first versions."""
        if known is None:
            late = line.type != "ADDED" and isinstance(line, WorkloadSeen)
            return f"{line.type} of an object that was never announced" if late else ""
        if version <= known.version and line.type != "DELETED":
            return f"version {version} came after {known.version}"
        if not known.exists and line.type != "ADDED":
            return f"{line.type} after its deletion"
        return ""

    def _find(self, number: int, line: WorkloadSeen | HopSeen, known: _Known | None, shown: str, wrong: str) -> None:
        op = line.op if isinstance(line, WorkloadSeen) else ""
        planned = self.history.planned.get(op)
        self._found.append(
            Finding(
                rule=self.name,
                text=f"{shown} in {line.cluster} at {self.history.at(line.ns)}: {wrong}",
                trial=planned.trial if planned is not None else "",
                cluster=line.cluster,
                object=shown,
                lines=[*([known.number] if known is not None else []), number],
                ops=[op] if planned is not None else [],
                uids=[line.uid],
            )
        )

    def findings(self) -> Iterator[Finding]:
        """One per line."""
        yield from self._found
