"""One side of a comparison: its fleet and runs on it, each by the `fleet` of its checkout in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fleet.errors import DeadlineError, FleetError
from fleet.results.folder import RunFolder

TOLD_LINES = 12
"""Of what a command that failed said."""
UP_SECONDS, DOWN_SECONDS = 3600.0, 900.0
"""A toolchain may have to be built."""
RUN_SECONDS = 24 * 3600.0
"""An experiment has time-outs of its own for each step."""
END_SECONDS = 300.0
"""For an experiment that was ended to remove what it has made."""
RAN = frozenset({0, 3, 4})
"""Exit codes of an experiment that has a run folder: success, a threshold failed, partial or invalid."""
KEPT = frozenset({"FLEET_STATE_DIR", "FLEET_CACHE_DIR"})
"""Of this process's environment; what else begins with FLEET_ are options of the command itself."""


@dataclass(frozen=True)
class Arm:
    """One variant, or one entrant of a league."""

    label: str
    """For messages: `A`, or entrant and division."""
    fleet: str
    """Name of its fleet."""
    checkout: Path
    variables: Mapping[str, Any]
    words: Sequence[str]
    """Of `fleet experiment run`: the experiment and its overrides."""
    inventory: Path | None
    results: Path
    """Absolute."""

    @property
    def ground(self) -> tuple[Path, str]:
        """Two arms with the same one can use one fleet."""
        return self.checkout, json.dumps(self.variables, sort_keys=True)

    def on(self, fleet: str) -> Arm:
        """The same on another's fleet."""
        return replace(self, fleet=fleet)

    def up(self) -> None:
        """Build its fleet, or make it what the variables say. FleetError with the end of what `fleet up` said."""
        with tempfile.NamedTemporaryFile("w", prefix="fleet-arm-", suffix=".json", encoding="utf-8") as file:
            json.dump(dict(self.variables), file)
            file.flush()
            words = ["up", "--reset", "--fleet", self.fleet, "-e", f"@{file.name}"]
            words += ["-i", str(self.inventory.absolute())] if self.inventory is not None else []
            self._fleet(words, UP_SECONDS, frozenset({0}))

    def down(self) -> None:
        """Take its fleet down; an absent one is fine."""
        self._fleet(["down", "--yes", "--fleet", self.fleet], DOWN_SECONDS, frozenset({0}))

    def run(self) -> RunFolder:
        """One run of the experiment on its fleet. FleetError when there is none."""
        words = ["experiment", "run", *self.words, "--fleet", self.fleet, "--results", str(self.results)]
        said = self._fleet(words, RUN_SECONDS, RAN)
        page = said.strip().splitlines()[-1] if said.strip() else ""
        if not page:
            raise FleetError(f"{self.label}: `fleet experiment run` named no report")
        return RunFolder.open((self.checkout / page).parent)

    def _fleet(self, words: Sequence[str], seconds: float, fine: frozenset[int]) -> str:
        """What it printed on stdout. A signal to this process ends it too, and its end is waited for."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("FLEET_") or name in KEPT}
        process = subprocess.Popen(
            [sys.executable, "-m", "fleet", *words],
            cwd=self.checkout,
            env={**environ, "PYTHONPATH": str(self.checkout)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise DeadlineError(f"{self.label}: `fleet {' '.join(words[:2])}` took over {seconds:.0f} s") from error
        finally:
            _end(process)
        if process.returncode not in fine:
            last = "\n".join(err.strip().splitlines()[-TOLD_LINES:])
            raise FleetError(f"{self.label}: `fleet {' '.join(words[:2])}` ended with {process.returncode}:\n{last}")
        return out


def _end(process: subprocess.Popen[str]) -> None:
    """End it where it still runs, wait, and kill it where that does not help.

    By SIGTERM: a child of a script's background job ignores SIGINT until it has a handler of its own.
    """
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.communicate(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
