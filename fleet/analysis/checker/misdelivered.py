"""Rule `misdelivered`: an object comes to no WEC that it was not planned for."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.analysis.checker.rule import Finding, OfHistory, about


class Misdelivered(OfHistory):
    """See `Rule`."""

    name = "misdelivered"
    says = "Nothing is delivered to a WEC that it was not planned for, not even for a moment."

    def findings(self) -> Iterator[Finding]:
        """One per object and WEC."""
        history = self.history
        for op, planned in history.planned.items():
            for pair in history.seen(op):
                if pair.cluster == history.source_of(op) or pair.cluster in planned.clusters or not pair.lives:
                    continue
                life = pair.lives[0]
                wanted = ", ".join(planned.clusters[:5]) + (", ..." if len(planned.clusters) > 5 else "")  # noqa: PLR2004
                text = f"{history.name(op)} came to {pair.cluster} at {history.at(life.born_ns)}; it was for {wanted}"
                lines = (history.planned_line[op], life.born_line)
                yield about(self, history, op, pair.cluster, text=text, lines=lines)
