"""The answer of `fleet ab` as Markdown, for the summary of a CI step or a file."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.analysis.ab import Answer, Question, StageVerdict
from fleet.analysis.compare import Side
from fleet.report.markdown import plain

MOST = 10.0
MEANING = {
    "worse": "B is slower than A.",
    "better": "B is faster than A.",
    "no difference": "B is as fast as A.",
    "too few to tell": "the pairs do not suffice to say.",
}


def markdown(a: str, b: str, question: Question, answer: Answer) -> str:
    """The whole text; the headline's stages first, others folded away."""
    return "\n".join(_lines(a, b, question, answer)) + "\n"


def _lines(a: str, b: str, question: Question, answer: Answer) -> Iterator[str]:
    yield f"### {answer.outcome}: {MEANING[answer.outcome]}"
    yield ""
    yield f"A: `{plain(a).replace('`', '')}`, B: `{plain(b).replace('`', '')}`. {said(question, answer)}"
    yield ""
    yield from _table([stage for stage in answer.stages if stage.headline])
    rest = [stage for stage in answer.stages if not stage.headline]
    if rest:
        yield from ("", "<details><summary>Stages that are not judged</summary>", "")
        yield from _table(rest)
        yield from ("", "</details>")
    for why in answer.void:
        yield from ("", f"A pair does not count: {plain(why)}.")


def said(question: Question, answer: Answer) -> str:
    """How sure it is, in a sentence."""
    pairs = f"{len(answer.pairs)} of at most {question.most} pairs"
    how = "the answer was known then" if answer.known else "no answer was reached"
    return (
        f"{pairs}: {how}. All intervals of all looks hold together in {1 - question.level:.0%} of comparisons; "
        f"a shift matters from {question.threshold:.0%}."
    )


def _table(stages: list[StageVerdict]) -> Iterator[str]:
    yield "| stage | B against A | interval | n A | n B | verdict | why |"
    yield "|---|---:|---:|---:|---:|---|---|"
    for stage in stages:
        cells = [stage.stage, *shares(stage), _count(stage.a), _count(stage.b), stage.outcome, stage.reason]
        yield f"| {' | '.join(plain(cell) for cell in cells)} |"


def _count(side: Side) -> str:
    return f"{side.count} ({side.missing} missing)" if side.missing else str(side.count)


def shares(stage: StageVerdict) -> tuple[str, str]:
    """Estimate and interval as percentages; dashes before the first look."""
    found = stage.shares
    return ("-", "-") if found is None else (_share(found[0]), f"{_share(found[1])} to {_share(found[2])}")


def _share(value: float) -> str:
    """Beyond a factor of ten nobody needs the digits."""
    return f"{value:+.1%}" if value < MOST else f"> {MOST:+.0%}"
