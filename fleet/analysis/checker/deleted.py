"""Rule `deleted`: what was deleted stays deleted."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.analysis.checker.rule import Finding, OfHistory, about


class Deleted(OfHistory):
    """See `Rule`."""

    name = "deleted"
    says = (
        "Deletes stay deleted: once an object is gone from its source and a WEC has let go of it, it does not come "
        "back. A WEC that a fault put back to an older state has it again: it is judged by `converges` instead."
    )

    def findings(self) -> Iterator[Finding]:
        """One per copy that came back."""
        history = self.history
        for op in history.planned:
            origin = history.origin(op)
            gone = origin.gone_ns
            if gone is None:
                continue
            for pair in history.copies(op):
                for life in pair.lives[1:]:
                    if life.born_ns <= gone or history.is_rewound(pair.cluster, life.born_ns):
                        continue
                    text = (
                        f"{history.name(op)} was deleted at {origin.cluster} at {history.at(gone)}, went from"
                        f" {pair.cluster}, and came back there at {history.at(life.born_ns)} ({life.uid})"
                    )
                    lines = [origin.lives[-1].gone_line, *(one.gone_line for one in pair.lives), life.born_line]
                    yield about(self, history, op, pair.cluster, text=text, lines=lines)
