"""The action and the workflows, as far as they can be judged without a fleet; `make test-action` runs the action."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.roles import ROOT
from tools.steps import EXPRESSION, Runner, inputs, play

ACTION = ROOT / ".github" / "actions" / "ab" / "action.yml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def steps(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Of an action, or of all jobs of a workflow."""
    if "runs" in document:
        return list(document["runs"]["steps"])
    return [step for job in document["jobs"].values() for step in job["steps"]]


def load(file: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("file", [ACTION, *WORKFLOWS], ids=lambda file: file.name)
def test_scripts_are_bash_take_no_expression_and_call_targets_that_exist(file: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    found = 0
    for step in steps(load(file)):
        script = step.get("run", "")
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
        assert not EXPRESSION.search(script), "an expression in a script is code of whoever wrote its value: use env"
        for words in re.findall(r"^make (?:-C \S+ )?([a-z -]+)$", script, re.MULTILINE):
            assert set(words.split()) <= targets, script
            found += 1
    assert found or file.name == "ab.yml"


def test_the_workflow_gives_the_action_what_it_wants() -> None:
    (used,) = [step for step in steps(load(ROOT / ".github" / "workflows" / "ab.yml")) if "a" in step.get("with", {})]
    assert (ROOT / used["uses"].removeprefix("./head/") / "action.yml") == ACTION
    assert inputs(load(ACTION), used["with"])["wecs"] == "20"


def test_an_unknown_and_a_missing_input_are_refused() -> None:
    with pytest.raises(ValueError, match="there is no input c; there are a, b"):
        inputs(load(ACTION), {"c": "1"})
    with pytest.raises(ValueError, match="input b is required"):
        inputs(load(ACTION), {"a": "1"})


def test_steps_run_in_order_with_what_a_runner_sets(tmp_path: Path) -> None:
    first = """
        echo "out=$GIVEN $RUNNER_OS" >>"$GITHUB_OUTPUT"
        echo KEPT=yes >>"$GITHUB_ENV"
    """
    second = """
        test "$KEPT" = yes
        echo "$SAID" >>"$GITHUB_STEP_SUMMARY"
        exit 3
    """
    listed = [
        {"name": "cache", "uses": "actions/cache@v4"},
        {"name": "first", "id": "one", "env": {"GIVEN": "${{ inputs.given }}"}, "run": first},
        {"name": "second", "env": {"SAID": "${{ steps.one.outputs.out }}"}, "run": second},
        {"name": "third", "run": "touch third"},
        {"name": "last", "if": "always()", "run": "touch last"},
    ]
    action = {"runs": {"steps": listed}}
    runner = Runner(tmp_path, tmp_path, {"given": "value"})
    ran = list(play(action, runner))
    assert ran == [("cache", None), ("first", 0), ("second", 3), ("third", None), ("last", 0)]
    assert runner.summary.read_text() == "value Linux\n"
    assert (tmp_path / "last").exists()
    assert not (tmp_path / "third").exists()
