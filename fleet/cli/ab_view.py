"""What `fleet ab` prints: the answer as a table and as a document."""

from __future__ import annotations

import textwrap
from dataclasses import asdict
from typing import Any

from fleet.analysis.ab import Answer, Pair, Question, StageVerdict
from fleet.cli.comparison_view import STYLES
from fleet.cli.console import Ink, clean
from fleet.cli.table import Cell, Column, render, terminal_width
from fleet.model.ab_variant import Variant
from fleet.report.ab_markdown import said, shares

NARROWEST = 40
FORMAT = 1


def lines(a: Variant, b: Variant, question: Question, answer: Answer, ink: Ink) -> str:
    """Verdict, how sure it is, and the stages of the headline."""
    told = [f"{clean(b.name)} against {clean(a.name)}: {ink(answer.outcome, STYLES[answer.outcome])}"]
    width = max(terminal_width(), NARROWEST)
    told += [textwrap.fill(text, width, initial_indent="  ", subsequent_indent="    ") for text in
             (said(question, answer), *(f"not counted: {clean(why)}" for why in answer.void))]  # fmt: skip
    rows: list[list[Cell | str]] = [
        [
            stage.stage,
            *shares(stage),
            str(stage.a.count),
            str(stage.b.count),
            Cell(stage.outcome, STYLES[stage.outcome]),
        ]
        for stage in answer.stages
        if stage.headline
    ]
    if rows:
        columns = [Column("STAGE"), Column("B TO A", right=True), Column("INTERVAL", right=True)]
        columns += [Column("N A", right=True), Column("N B", right=True), Column("VERDICT")]
        told += ["", render(columns, rows, ink)]
    return "\n".join(told)


def progress(number: int, answer: Answer) -> str:
    """After a pair: where the headline stands."""
    headline = [stage for stage in answer.stages if stage.headline]
    where = ", ".join(f"{stage.stage} {shares(stage)[1]}" for stage in headline if stage.interval is not None)
    return f"pair {number}: {answer.outcome}" + (f" ({where})" if where else "")


def document(a: Variant, b: Variant, question: Question, answer: Answer) -> dict[str, Any]:
    """What stands alongside the stages; `ab.json` is this and the stages."""
    return {
        "format": FORMAT,
        "a": a.model_dump(mode="json"),
        "b": b.model_dump(mode="json"),
        "verdict": answer.outcome,
        "known": answer.known,
        "threshold": question.threshold,
        "level": question.level,
        "most": question.most,
        "pairs": [pair_document(pair) for pair in answer.pairs],
        "void": list(answer.void),
    }


def items(answer: Answer) -> list[dict[str, Any]]:
    """Every stage; shares and log ratios."""
    return [_item(stage) for stage in answer.stages]


def _item(stage: StageVerdict) -> dict[str, Any]:
    found = stage.shares
    return {
        "stage": stage.stage,
        "headline": stage.headline,
        "verdict": stage.outcome,
        "reason": stage.reason,
        "shift": None if found is None else dict(zip(("estimate", "low", "high"), found, strict=True)),
        "log_ratios": list(stage.ratios),
        "interval": None if stage.interval is None else asdict(stage.interval),
        "a": {"count": stage.a.count, "missing": stage.a.missing},
        "b": {"count": stage.b.count, "missing": stage.b.missing},
    }


def pair_document(pair: Pair) -> dict[str, Any]:
    """Both runs with their medians."""
    return {
        side: {
            "run": run.run,
            "status": run.status,
            "p50": [
                {"stage": stage, **setting._asdict(), "seconds": value}
                for (stage, setting), value in run.medians.items()
            ],
        }
        for side, run in (("a", pair.a), ("b", pair.b))
    }
