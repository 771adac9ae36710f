"""Rule `once`: an object is delivered to a WEC once, and is not taken away and made again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from fleet.analysis.checker.rule import Finding, OfHistory, about


class Once(OfHistory):
    """See `Rule`."""

    name = "once"
    says = (
        "Nothing is delivered twice: while an object exists at its source, a WEC has one copy of it, of one uid. WECs "
        "that a fault put back to an older state are not judged from then on."
    )

    def findings(self) -> Iterator[Finding]:
        """One per copy that came after another."""
        history = self.history
        for op in history.planned:
            gone = history.origin(op).gone_ns
            for pair in history.copies(op):
                if pair.cluster == history.source_of(op):
                    continue
                for former, later in pairwise(pair.lives):
                    deleted = gone is not None and gone <= later.born_ns
                    if deleted or history.is_rewound(pair.cluster, later.born_ns):
                        continue
                    both = former.gone_ns is None or former.gone_ns > later.born_ns
                    how = "alongside" if both else "in place of"
                    when = history.at(later.born_ns)
                    text = (
                        f"{history.name(op)} was delivered to {pair.cluster} a second time at {when} ({later.uid}),"
                        f" {how} the copy of {history.at(former.born_ns)} ({former.uid})"
                    )
                    lines = [former.born_line, former.gone_line, later.born_line]
                    yield about(self, history, op, pair.cluster, text=text, lines=lines)
