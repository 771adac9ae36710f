"""`fleet ab`: two variants in pairs of runs on this machine, until it is known which is slower."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fleet.cli.build import InventoryOption, SetVariables, checked_name, pairs
from fleet.cli.console import ink_for, out, out_items, say
from fleet.cli.options import RESULTS, THRESHOLD, BudgetOption, ResultsOption, ThresholdOption, budget_seconds
from fleet.cli.overrides import Overrides, overridable
from fleet.errors import MeasurementError, UsageError

if TYPE_CHECKING:
    from fleet.analysis.ab import Answer, Measured, Pair, Question
    from fleet.cli.arm import Arm
    from fleet.model.ab_variant import Variant

FOLDER = "ab"
"""Below the results folder: `ab/<UTC>/ab.json` and `ab.md`."""
MOST_VOID = 2
"""Pairs with an invalid run; with more, something is wrong that more pairs do not put right."""
MOST_PAIRS = 100

VariantArgument = "default, NAME=VALUE[,...], or a file: see docs/how-to/regressions.md."


@overridable
def ab(
    a: Annotated[str, typer.Argument(metavar="A", help=VariantArgument)],
    b: Annotated[str, typer.Argument(metavar="B", help="The variant to judge.")],
    overrides: Overrides,
    experiment: Annotated[
        str, typer.Option("--experiment", metavar="NAME|FILE", envvar="FLEET_EXPERIMENT", help="What is run.")
    ] = "wec-scaling",
    variables: SetVariables = None,
    most: Annotated[
        int, typer.Option("--pairs", metavar="N", min=3, max=MOST_PAIRS, envvar="FLEET_PAIRS", help="Pairs at most.")
    ] = 5,
    budget: BudgetOption = None,
    threshold: ThresholdOption = THRESHOLD,
    seed: Annotated[int, typer.Option("--seed", envvar="FLEET_SEED", help="Of the order within the pairs.")] = 1,
    apart: Annotated[
        bool,
        typer.Option("--apart", envvar="FLEET_APART", help="Never two fleets at once: each is built for each run."),
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", envvar="FLEET_KEEP", help="Leave the fleets up.")] = False,
    fleet: Annotated[
        str, typer.Option("--fleet", metavar="NAME", envvar="FLEET_NAME", help="Its fleets are NAME-a and NAME-b.")
    ] = "ab",
    inventory: InventoryOption = None,
    results: ResultsOption = RESULTS,
    output: Annotated[
        Literal["table", "json", "markdown"],
        typer.Option("-o", "--output", envvar="FLEET_OUTPUT", help="How to print it."),
    ] = "table",
) -> None:
    """Compare two variants in pairs of runs. Ends with 3 when B is slower, 4 when that is not known at the end."""
    from fleet.analysis.ab import Question
    from fleet.cli.ab_view import document, items, lines
    from fleet.cli.comparison_view import EXIT_CODES, share
    from fleet.model.ab_variant import load
    from fleet.report.ab_markdown import markdown
    from fleet.results.folder import RunFolder

    question = Question(most, share(threshold))
    seconds = budget_seconds(budget)
    one, two = load(a), load(b)
    RunFolder.check_root(results)
    if apart and keep:
        raise UsageError("--apart takes each fleet down after each run, --keep leaves both up: give one of them")
    arms = _arms((one, two), experiment, overrides, variables or [], fleet, inventory, results)
    made: list[Pair] = []
    answer = question.answer(made)
    try:
        for pair in _pairs(arms, question, seed, seconds, apart=apart):
            made.append(pair)
            answer = question.answer(made)
            _tell(len(made), answer)
            if answer.known or len(answer.pairs) >= most:
                break
    finally:
        folder = _write(results, one, two, question, answer) if made else None
        if not keep:
            _down(arms)
    if output == "json":
        out_items("AbComparison", items(answer), **document(one, two, question, answer))
    elif output == "markdown":
        out(markdown(one.name, two.name, question, answer))
    else:
        out(lines(one, two, question, answer, ink_for(sys.stdout)))
    if folder is not None:
        say(f"written: {folder}")
    raise typer.Exit(EXIT_CODES[answer.outcome])


def _arms(
    variants: tuple[Variant, Variant],
    experiment: str,
    overrides: Overrides,
    words: list[str],
    fleet: str,
    inventory: Path | None,
    results: Path,
) -> tuple[Arm, Arm]:
    """Both sides, checked as far as that goes before anything is built. One fleet where both have the same."""
    from fleet.cli.arm import Arm
    from fleet.cli.given_variables import checked_variables
    from fleet.model import experiment_load
    from fleet.model.checkout import checkout

    if inventory is not None and not inventory.exists():
        raise UsageError(f"the inventory {inventory} does not exist: give it with -i")
    here, shared = checkout(), pairs(words)
    if "/" in experiment or experiment.endswith((".yaml", ".yml")):
        experiment = str(experiment_load.find(experiment).absolute())
    made: list[Arm] = []
    for letter, variant in zip("ab", variants, strict=True):
        values = {**shared, **variant.variables}
        if variant.checkout is None:
            checked_variables(values, f"variant {letter.upper()}: ")
            overrides.with_sets(variant.sets).load(experiment)
        arm = Arm(
            label=letter.upper(),
            fleet=checked_name(f"{fleet}-{letter}", "--fleet"),
            checkout=variant.checkout or here,
            variables=values,
            words=[experiment, *overrides.with_sets(variant.sets).words],
            inventory=inventory,
            results=results.absolute(),
        )
        made.append(arm)
    one, two = made
    return one, two.on(one.fleet) if one.ground == two.ground else two


def _pairs(arms: tuple[Arm, Arm], question: Question, seed: int, budget: float, *, apart: bool) -> Iterator[Pair]:
    """Pairs while there is time. Which side goes first is drawn for each two pairs: once A, once B."""
    from fleet.analysis.ab import Pair

    began, longest, order = time.monotonic(), 0.0, random.Random(seed)  # noqa: S311 - no secret
    if not apart:
        for arm in _distinct(arms):
            say(f"{arm.label}: building the fleet {arm.fleet}")
            arm.up()
    void = number = 0
    flip = False
    while number - void < question.most:
        start = time.monotonic()
        if start - began + longest > budget:
            say(f"the next pair would end after the budget of {budget:.0f} s")
            return
        flip = order.random() < 0.5 if number % 2 == 0 else not flip  # noqa: PLR2004 - a fair coin, two pairs
        ran = {arm.label: _run(number + 1, arm, apart=apart) for arm in (reversed(arms) if flip else arms)}
        pair = Pair(ran["A"], ran["B"])
        number += 1
        void += bool(pair.void)
        longest = max(longest, time.monotonic() - start)
        yield pair
        if void > MOST_VOID:
            raise MeasurementError(f"{void} pairs have an invalid run; the last: {pair.void}")


def _run(number: int, arm: Arm, *, apart: bool) -> Measured:
    from fleet.analysis.ab import Measured
    from fleet.analysis.study import analyse

    start = time.monotonic()
    if apart:
        arm.up()
    try:
        folder = arm.run()
    finally:
        if apart:
            arm.down()
    found = Measured.of(analyse(folder))
    say(f"pair {number}: {arm.label}: {found.run}: {found.status}, {time.monotonic() - start:.0f} s")
    return found


def _tell(number: int, answer: Answer) -> None:
    from fleet.cli.ab_view import progress

    say(progress(number, answer))


def _distinct(arms: Sequence[Arm]) -> list[Arm]:
    """One for each fleet, A's before B's."""
    return list({arm.fleet: arm for arm in reversed(arms)}.values())[::-1]


def _down(arms: Sequence[Arm]) -> None:
    for arm in _distinct(arms):
        arm.down()


def _write(results: Path, a: Variant, b: Variant, question: Question, answer: Answer) -> Path:
    """`ab.json` and `ab.md` in a folder of their own, also of what was interrupted; the folder."""
    from fleet.cli.ab_view import document, items
    from fleet.report.ab_markdown import markdown

    folder = results / FOLDER / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    folder.mkdir(parents=True)
    whole = {**document(a, b, question, answer), "stages": items(answer)}
    (folder / "ab.json").write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    (folder / "ab.md").write_text(markdown(a.name, b.name, question, answer), encoding="utf-8")
    return folder
