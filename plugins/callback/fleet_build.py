"""Keeps what `site.yml` does to a fleet in its folder, from the task that records it to the one that completes it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet_build
type: aggregate
short_description: Which play and task of site.yml is under way, and which failed
description:
  - Begins when C(fleet_record) writes that a fleet is being built, and writes C(build.json) alongside the fleet file.
  - C(fleet status) and C(fleet down) read it. Nothing is written in check mode.
author: ["The maintainers (@kubestellar)"]
requirements: [enable in configuration]
"""

from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

from fleet.model.build_progress import BuildLog

RECORD = "fleet_record"


class CallbackModule(CallbackBase):  # type: ignore[misc] # ansible-core has no types
    """What Ansible looks for."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "fleet_build"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._log: BuildLog | None = None
        self._play = ""
        self._task = ""

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """A play begins."""
        self._play = str(play.get_name()).strip()

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002
        """A task begins, on all its machines."""
        self._task = str(task.get_name()).rpartition(" : ")[2].strip()
        if self._log is not None:
            self._log.task(self._play, self._task)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """A handler is a task."""
        self.v2_playbook_on_task_start(task, False)

    def v2_runner_on_ok(self, result: Any) -> None:
        """A task came through on a machine; the one that records the fleet begins and ends the log."""
        state = result.result.get("fleet_state") if result.task.action.rpartition(".")[2] == RECORD else None
        if state == "building" and self._log is None:
            log = BuildLog(Path(result.result["path"]).parent)
            self._log = log if log.open() else None
            if self._log is not None:
                self._log.task(self._play, self._task)
        elif state == "built" and self._log is not None:
            self._log.done()
            self._end()

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """A task failed on a machine."""
        if self._log is not None and not ignore_errors:
            self._log.failed(self._play, self._task, result.host.get_name(), _reason(result.result))

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """A machine is lost."""
        if self._log is not None and not result.task.ignore_unreachable:
            self._log.failed(self._play, self._task, result.host.get_name(), _reason(result.result))

    def v2_playbook_on_stats(self, stats: Any) -> None:  # noqa: ARG002
        """The end; a log that is not done stays for who looks."""
        self._end()

    def _end(self) -> None:
        if self._log is not None:
            self._log.close()
        self._log = None


def _reason(result: Any) -> str:
    """Why, in the task's own words; nothing of one whose output is hidden."""
    if "censored" in result:
        return "its output is hidden (no_log)"
    for item in result.get("results") or []:
        if item.get("failed"):
            return _reason(item)
    return str(result.get("msg") or result.get("stderr") or "no reason given")
