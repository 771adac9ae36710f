"""What `fleet ab` finds, by resampling real pairs: `python -m tests.bench.ab_power results/ab/<time>/ab.json...`.

The files are of A/A comparisons: both sides alike. A made comparison is some of their pairs, drawn without putting
back, each with its sides swapped at random; that is as likely as what was measured, because the sides are alike.
A slowdown is planted by multiplying every median of B. `real` lines are the comparisons themselves.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fleet.analysis.ab import Measured, Pair, Question
from fleet.analysis.compare import HEADLINE
from fleet.analysis.setting import Setting

EFFECTS = (1.0, 1.05, 1.1, 1.2, 1.3, 1.5, 2.0)
PAIRS = (3, 4, 5, 6, 8, 10)
MADE = 2000


def measured(run: dict[str, Any]) -> Measured:
    """One run of an `ab.json`: the medians, which is all that resampling needs."""
    medians = {(row["stage"], Setting(row["layout"], row["wecs"], row["point"])): row["seconds"] for row in run["p50"]}
    stages = tuple(stage for stage in HEADLINE if any(key[0] == stage for key in medians))
    return Measured(run["run"], "one", run["status"], (), medians, {}, stages, stages)


def read(file: Path) -> list[Pair]:
    """The pairs of one comparison."""
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


def main() -> None:
    """Print the curve as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="+")
    parser.add_argument("--made", type=int, default=MADE)
    given = parser.parse_args()
    pool = [pair for file in given.file for pair in read(file)]
    for file in given.file:
        real = read(file)
        print(f"real: {file}: {found(real, Question(len(real), 0.1))}")
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
