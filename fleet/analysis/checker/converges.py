"""Rule `converges`: within a bound every WEC has what its sources have, and nothing that they have no more."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.analysis.checker.rule import Finding, about
from fleet.analysis.history import History, Pair


class Converges:
    """See `Rule`. The bound is the run's own `timeouts.object` where nobody says another."""

    name = "converges"
    says = (
        "WECs converge: within the bound (after an object was accepted, and after the trial's last fault was healed) "
        "each WEC has it, with a final status where it has one; when a trial ends each copy is still there; and what "
        "was deleted at its source is gone when the run ends. WECs that did not answer then are not judged."
    )

    def __init__(self, history: History, bound: float | None = None) -> None:
        self.history = history
        self.bound = history.object_timeout if bound is None else bound

    def feed(self, number: int, line: object) -> None:
        """Nothing: the history has it."""

    def findings(self) -> Iterator[Finding]:
        """One per object and WEC."""
        history = self.history
        for op in history.planned:
            if op not in history.accepted:
                continue
            for pair in history.copies(op):
                if pair.cluster in history.unwatched or pair.cluster == history.source_of(op):
                    continue
                text = self._late(op, pair) or self._vanished(op, pair) or self._left(op, pair)
                if text:
                    lines = [
                        history.accepted[op][1],
                        *(n for one in pair.lives for n in (one.born_line, one.gone_line)),
                    ]
                    yield about(self, history, op, pair.cluster, text=text, lines=lines)

    def _late(self, op: str, pair: Pair) -> str:
        """It came, or became ready, after the bound; what never came is `lost`."""
        history, planned = self.history, self.history.planned[op]
        if not pair.lives:
            return ""
        life = pair.lives[-1]
        born = pair.lives[0].born_ns if len(pair.lives) == 1 else life.born_ns
        right = born if planned.status == "none" else life.ready_ns
        since = max(history.accepted[op][0], history.healed_before(planned.trial, right or history.last_ns))
        drained = history.drained.get(planned.trial)
        if right is None:
            if drained is None or history.was_down(pair.cluster, drained[0]):
                return ""
            there = life.gone_ns is None or life.gone_ns > drained[0]
            if not there or drained[0] < since + self.bound * 1e9:
                return ""
            return f"{history.name(op)} came to {pair.cluster} at {history.at(born)} and never had a final status there"
        if right - since <= self.bound * 1e9:
            return ""
        return (
            f"{history.name(op)} was right in {pair.cluster} only at {history.at(right)}, {(right - since) / 1e9:.1f} s"
            f" after it should begin to be; the bound is {self.bound:g} s"
        )

    def _vanished(self, op: str, pair: Pair) -> str:
        """It was there, and is not when the trial ends, though its source has it."""
        history = self.history
        drained = history.drained.get(history.planned[op].trial)
        if not pair.lives or drained is None:
            return ""
        gone, origin = pair.gone_ns, history.origin(op).gone_ns
        if gone is None or gone > drained[0] or (origin is not None and origin <= drained[0]):
            return ""
        if history.was_down(pair.cluster, drained[0]):
            return ""
        return (
            f"{history.name(op)} went from {pair.cluster} at {history.at(gone)} and was not there when its trial ended"
        )

    def _left(self, op: str, pair: Pair) -> str:
        """Deleted at its source, and there to the end."""
        history = self.history
        origin = history.origin(op).gone_ns
        if origin is None or not pair.lives or pair.gone_ns is not None or pair.cluster in history.down:
            return ""
        waited = (history.last_ns - max(origin, history.healed_before(history.planned[op].trial, origin))) / 1e9
        if waited < min(self.bound, history.clean_timeout):
            return ""
        return (
            f"{history.name(op)} was deleted at {history.source_of(op)} at {history.at(origin)} and was still in"
            f" {pair.cluster} at the end, {waited:.1f} s later"
        )
