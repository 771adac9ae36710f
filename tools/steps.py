"""Run the steps of a GitHub action on this machine: `python -m tools.steps ACTION NAME=VALUE...`.

Steps that are scripts (`run`) run in order, with the variables that a runner sets. Steps that use actions of others (a
cache, an upload) are left out, and named. It knows `${{ }}` for inputs, outputs of steps, and the contexts github,
runner and env.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

KEPT = ("HOME", "PATH", "LANG", "LC_ALL")
"""Of this process's environment; and what says where packages come from."""
PACKAGES = re.compile(r"^(PIP|GO|SSL|REQUESTS|https?_proxy|no_proxy)", re.IGNORECASE)
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
NAME = re.compile(r"^(inputs|github|runner|env)\.([\w-]+)$|^steps\.([\w-]+)\.outputs\.([\w-]+)$")
COMPARED = re.compile(r"^(\S+)\s*(==|!=)\s*'([^']*)'$")
STEP_SECONDS = 3600.0


@dataclass
class Runner:
    """One job: the files that steps write, and what they have said so far."""

    workspace: Path
    """Where steps begin."""
    temp: Path
    inputs: Mapping[str, str]
    env: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    outputs: dict[tuple[str, str], str] = field(default_factory=dict)
    """(Step, name) to value."""

    @property
    def summary(self) -> Path:
        """What people see of the job."""
        return self.temp / "summary.md"

    def environment(self, output: Path, environment: Path, path: Path) -> dict[str, str]:
        """What a hosted runner gives a step."""
        own = {name: value for name, value in os.environ.items() if name in KEPT or PACKAGES.match(name)}
        return {
            **own,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_ENV": str(environment),
            "GITHUB_PATH": str(path),
            "RUNNER_TEMP": str(self.temp),
            "RUNNER_OS": platform.system(),
            "RUNNER_ARCH": {"x86_64": "X64", "aarch64": "ARM64"}.get(platform.machine(), platform.machine()),
            **self.env,
            "PATH": os.pathsep.join([*self.path, own["PATH"]]),
        }

    def value(self, expression: str) -> str:
        """Of one expression; ValueError when this runner does not know it."""
        compared = COMPARED.match(expression)
        if compared:
            same = self.value(compared[1]) == compared[3]
            return str(same == (compared[2] == "==")).lower()
        match = NAME.match(expression)
        if match is None:
            raise ValueError(f"${{{{ {expression} }}}}: this runner does not know it")
        if match[3]:
            return self.outputs.get((match[3], match[4]), "")
        known: Mapping[str, str] = {
            "inputs": self.inputs,
            "env": self.env,
            "github": {"workspace": str(self.workspace)},
            "runner": {"temp": str(self.temp), "os": platform.system()},
        }[match[1]]
        if match[2] not in known:
            raise ValueError(f"${{{{ {expression} }}}}: there is no such value")
        return known[match[2]]

    def text(self, template: str) -> str:
        """With the values of its expressions."""
        return EXPRESSION.sub(lambda match: self.value(match[1]), template)

    def run(self, step: Mapping[str, Any]) -> int:
        """One script in a process of its own; its exit code. What it adds to the runner's files counts for the next."""
        files = [self.temp / name for name in ("output", "env", "path")]
        for file in files:
            file.write_text("", encoding="utf-8")
        given = {name: self.text(str(value)) for name, value in step.get("env", {}).items()}
        words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", self.text(step["run"])]
        folder = self.workspace / self.text(step.get("working-directory", "."))
        done = subprocess.run(
            words, cwd=folder, env={**self.environment(*files), **given}, check=False, timeout=STEP_SECONDS
        )
        output, environment, path = (file.read_text(encoding="utf-8").splitlines() for file in files)
        for line in output:
            name, _, value = line.partition("=")
            self.outputs[step.get("id", ""), name] = value
        self.env |= {name: value for name, _, value in (line.partition("=") for line in environment)}
        self.path = [*path, *self.path]
        return done.returncode


def inputs(action: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Every input of an action; ValueError for one that there is not, or that is required and not given."""
    known = action.get("inputs", {})
    for name in given:
        if name not in known:
            raise ValueError(f"there is no input {name}; there are {', '.join(known)}")
    for name, about in known.items():
        if about.get("required") and name not in given:
            raise ValueError(f"the input {name} is required")
    return {name: given.get(name, str(about.get("default", ""))) for name, about in known.items()}


def play(action: Mapping[str, Any], runner: Runner) -> Iterator[tuple[str, int | None]]:
    """Each step's name with its exit code, None for one that was left out. After a failure only `always()` runs."""
    failed = False
    for step in action["runs"]["steps"]:
        name = step.get("name", step.get("run", step.get("uses", "")))
        if "run" not in step or (failed and "always()" not in str(step.get("if", ""))):
            yield name, None
            continue
        code = runner.run(step)
        failed = failed or code != 0
        yield name, code


def main(words: list[str]) -> int:
    """Run an action in the current folder; the exit code of the first step that failed."""
    action = yaml.safe_load(Path(words[0]).read_text(encoding="utf-8"))
    given = {name: value for name, _, value in (word.partition("=") for word in words[1:])}
    runner = Runner(Path.cwd(), Path(tempfile.mkdtemp(prefix="runner-")), inputs(action, given))
    ended = 0
    for name, code in play(action, runner):
        sys.stderr.write(f"step: {name}: {'left out' if code is None else code}\n")
        ended = ended or code or 0
    if runner.summary.exists():
        sys.stdout.write(runner.summary.read_text(encoding="utf-8"))
    sys.stderr.write(f"files: {runner.temp}\n")
    return ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
