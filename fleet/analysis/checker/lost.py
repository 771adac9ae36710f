"""Rule `lost`: what a source has accepted comes to every WEC that it was planned for."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.analysis.checker.rule import Finding, OfHistory, about


class Lost(OfHistory):
    """See `Rule`."""

    name = "lost"
    says = (
        "Nothing is lost: an object that its source has accepted, and still has, has been in every WEC that it was "
        "planned for when its trial's drain ends. Not judged: WECs that did not answer then, trials that were cut off."
    )

    def findings(self) -> Iterator[Finding]:
        """One per object and WEC."""
        history = self.history
        for op, planned in history.planned.items():
            if op not in history.accepted or planned.trial not in history.drained:
                continue
            accepted, sent = history.accepted[op]
            ended, drained = history.drained[planned.trial]
            gone = history.origin(op).gone_ns
            if gone is not None and gone < ended:
                continue
            for pair in history.copies(op):
                judged = pair.cluster not in history.unwatched and not history.was_down(pair.cluster, ended)
                if not pair.lives and judged:
                    text = (
                        f"{history.name(op)} was accepted by {history.source_of(op)} at {history.at(accepted)} and had"
                        f" not come to {pair.cluster} when its trial ended, {(ended - accepted) / 1e9:.1f} s later"
                    )
                    yield about(
                        self, history, op, pair.cluster, text=text, lines=(history.planned_line[op], sent, drained)
                    )
