"""Runs one playbook through ansible-runner: a line per task on stderr, failures with their host and reason."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleet.cli import units
from fleet.cli.console import clean, ink_for, say
from fleet.errors import FleetError, UsageError
from fleet.model.checkout import checkout

LONG_TASK = 2.0
"""Seconds from which a task's time is shown."""
REFUSING_ROLE = "preflight"
"""Its failures say that the input or the machine is wrong, before anything was changed: exit code 2."""
VALIDATION = "validate_argument_spec"


@dataclass
class Progress:
    """Turns Ansible's events into lines for people, and remembers what failed."""

    verbose: bool = False
    failures: list[str] = field(default_factory=list)
    refused: bool = False
    changed: int = 0
    _task: str = ""
    _began: float = 0.0

    def event(self, data: Mapping[str, Any]) -> None:
        """One event of ansible-runner."""
        kind, body = str(data.get("event", "")), data.get("event_data") or {}
        if kind == "playbook_on_play_start":
            self._finish()
            say(ink_for(sys.stderr)(clean(str(body.get("name") or body.get("play") or "")), "head"))
        elif kind in ("playbook_on_task_start", "playbook_on_handler_task_start"):
            self._finish()
            role = f"{body['role']}: " if body.get("role") else ""
            self._task, self._began = (
                f"{role}{_bare(str(body.get('task') or body.get('name') or ''))}",
                time.monotonic(),
            )
        elif kind == "runner_on_ok" and (body.get("res") or {}).get("changed"):
            self.changed += 1
            self._tell("changed", "warn", body)
        elif kind in ("runner_on_failed", "runner_on_unreachable") and not body.get("ignore_errors"):
            self._fail(body)
        elif kind == "playbook_on_stats":
            self._finish()

    def _tell(self, word: str, style: str, body: Mapping[str, Any]) -> None:
        say(f"  {ink_for(sys.stderr)(word, style)} {clean(self._task)} ({clean(str(body.get('host', '')))})")

    def _fail(self, body: Mapping[str, Any]) -> None:
        result = body.get("res") or {}
        self._tell("failed", "fail", body)
        if body.get("role") == REFUSING_ROLE or str(body.get("task_action", "")).endswith(VALIDATION):
            self.refused = True
        self.failures.append(f"{body.get('host', '?')}: {self._task}: {reason(result)}")

    def _finish(self) -> None:
        """Say how long the task took, when it was long."""
        took = time.monotonic() - self._began
        if self._task and took >= LONG_TASK:
            say(f"  {self._task} took {units.span(took)}")
        self._task = ""


def reason(result: Mapping[str, Any]) -> str:
    """Why a task failed, in its own words; nothing when its output is hidden."""
    if "censored" in result:
        return "its output is hidden (no_log)"
    for item in result.get("results") or []:
        if isinstance(item, dict) and item.get("failed"):
            return reason(item)
    text = str(result.get("msg") or result.get("stderr") or result.get("module_stderr") or "no reason given")
    return clean(text).strip()


def _bare(task: str) -> str:
    """A task's name without the role that Ansible puts before it."""
    return task.rpartition(" : ")[2].strip()


def play(
    playbook: str, *, inventory: Path | None, variables: Mapping[str, Any], quiet: bool = False, tags: str = ""
) -> Progress:
    """Run `playbook` of the checkout to its end; with `tags` only the tasks that have one of them.

    Raises UsageError when the machine or the variables were refused up front, FleetError when a task failed.
    """
    import ansible_runner

    folder = checkout()
    if not (folder / playbook).is_file():
        raise UsageError(f"there is no {playbook} in {folder}: run this command in a whole checkout")
    if inventory is not None and not inventory.exists():
        raise UsageError(f"the inventory {inventory} does not exist: give it with -i")
    progress = Progress()
    with tempfile.TemporaryDirectory(prefix="fleet-ansible-") as private:
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
            # ansible-runner sets this, so that the one of ansible.cfg would not count.
            "ANSIBLE_CALLBACK_PLUGINS": str(folder / "plugins" / "callback"),
        }
        result = ansible_runner.run(
            private_data_dir=private,
            project_dir=str(folder),
            playbook=playbook,
            inventory=None if inventory is None else str(inventory.resolve()),
            extravars=dict(variables),
            envvars=environment,
            event_handler=None if quiet else progress.event,
            quiet=True,
            suppress_env_files=True,
            **({"tags": tags} if tags else {}),
        )
    if result.status == "canceled":
        raise KeyboardInterrupt
    if progress.failures:
        text = "\n".join(progress.failures)
        raise UsageError(text) if progress.refused else FleetError(text)
    if result.rc != 0:
        raise FleetError(
            f"{playbook} ended with {result.rc} ({result.status}); run it with ansible-playbook to see why"
        )
    return progress
