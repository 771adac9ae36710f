"""What `fleet ab` finds, by resampling real pairs: `python -m tests.bench.ab_power results/ab/<time>/ab.json RUN...`.

An `ab.json` is of an A/A comparison: both sides alike. A run folder gives pairs too: one repeat and the next, each as
if it were a run (repeats that miss samples are left out). `--write` keeps them. A made comparison is some of these
pairs, drawn without putting back, each with its sides swapped at random; that is as likely as what was measured,
because the sides are alike. A slowdown is planted by multiplying every median of B. `real` lines are the files' own.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fleet.analysis.ab import Measured, Pair, Question
from fleet.analysis.compare import HEADLINE
from fleet.analysis.setting import Setting
from fleet.analysis.study import analyse
from fleet.analysis.summary import summarise
from fleet.cli.ab_view import pair_document
from fleet.results.folder import RunFolder

EFFECTS = (1.0, 1.05, 1.1, 1.2, 1.3, 1.5, 2.0)
PAIRS = (3, 4, 5, 6, 8, 10)
MADE = 2000


def measured(run: dict[str, Any]) -> Measured:
    """One run of an `ab.json`: the medians, which is all that resampling needs."""
    medians = {(row["stage"], Setting(row["layout"], row["wecs"], row["point"])): row["seconds"] for row in run["p50"]}
    stages = tuple(stage for stage in HEADLINE if any(key[0] == stage for key in medians))
    return Measured(run["run"], "one", run["status"], (), medians, {}, stages, stages)


def repeats(folder: Path) -> list[Pair]:
    """Of one run, counted repeats two by two."""
    study = analyse(RunFolder.open(folder))
    short = {sample.repeat for sample in study.samples if sample.counted and sample.seconds is None}
    numbers = sorted({sample.repeat for sample in study.samples if sample.counted} - short)
    runs = []
    for number in numbers:
        rows = summarise(
            [sample for sample in study.samples if sample.repeat == number], study.recorded.join.table.rank
        )
        medians = {(row.stage, row.setting): row.p50 for row in rows if row.p50 and row.stage in HEADLINE}
        stages = tuple(stage for stage in HEADLINE if any(key[0] == stage for key in medians))
        runs.append(Measured(f"{study.run.id}/{number}", "one", "valid", (), medians, {}, stages, stages))
    return [Pair(a, b) for a, b in zip(runs[::2], runs[1::2], strict=False)]


def read(file: Path) -> list[Pair]:
    """The pairs of one comparison, or of one run."""
    if file.is_dir():
        return repeats(file)
    document = json.loads(file.read_text(encoding="utf-8"))
    return [Pair(measured(pair["a"]), measured(pair["b"])) for pair in document["pairs"]]


def slowed(pair: Pair, effect: float) -> Pair:
    """With every median of B multiplied."""
    return Pair(pair.a, replace(pair.b, medians={key: value * effect for key, value in pair.b.medians.items()}))


def made(pool: Sequence[Pair], most: int, effect: float, dice: random.Random) -> Iterator[Pair]:
    """One comparison."""
    for pair in dice.sample(pool, most):
        yield slowed(pair if dice.random() < 0.5 else Pair(pair.b, pair.a), effect)


def found(pairs: Sequence[Pair], question: Question) -> tuple[str, int]:
    """The verdict, and after how many pairs."""
    for number in range(1, len(pairs) + 1):
        answer = question.answer(pairs[:number])
        if answer.known:
            break
    return answer.outcome, number


def deviation(pairs: Sequence[Pair], stage: str) -> float:
    """Of the log ratios, about 0."""
    ratios = [ratio for pair in pairs if (ratio := pair.ratio(stage)) is not None]
    return math.sqrt(sum(ratio**2 for ratio in ratios) / len(ratios))


def main() -> None:
    """Print the curve as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="+")
    parser.add_argument("--made", type=int, default=MADE)
    parser.add_argument("--write", type=Path, help="keep the pairs, as an ab.json has them")
    given = parser.parse_args()
    pool = [pair for file in given.file for pair in read(file)]
    if given.write:
        given.write.write_text(json.dumps({"pairs": [pair_document(pair) for pair in pool]}, indent=1) + "\n")
    for file in given.file:
        real = read(file)
        if not real:
            continue
        spread = [f"{stage} {deviation(real, stage):.1%}" for stage in HEADLINE if real[0].ratio(stage) is not None]
        ends = found(real, Question(len(real), 0.1)) if len(real) >= PAIRS[0] else "too few pairs to judge"
        print(f"real: {file}: {len(real)} pairs that spread by {', '.join(spread)}: {ends}")
    print(f"\n{len(pool)} real pairs, {given.made} made comparisons each; share of verdicts, mean pairs until known\n")
    print("| slowdown | " + " | ".join(f"{most} pairs" for most in PAIRS if most <= len(pool)) + " |")
    for effect in EFFECTS:
        cells = []
        for most in (most for most in PAIRS if most <= len(pool)):
            dice, question = random.Random(1), Question(most, 0.1)  # noqa: S311 - no secret
            ends = [found(list(made(pool, most, effect, dice)), question) for _ in range(given.made)]
            worse = sum(outcome == "worse" for outcome, _ in ends) / len(ends)
            better = sum(outcome == "better" for outcome, _ in ends) / len(ends)
            mean = sum(number for _, number in ends) / len(ends)
            cells.append(f"{worse:.1%}{f' (faster {better:.1%})' if better else ''}, {mean:.1f}")
        print(f"| {effect:g}x | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
