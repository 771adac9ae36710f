"""What command lines of installed programs share: where upstream lies, what a user adds, what a restart depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from fleet.errors import UsageError
from fleet.host.supervisor_config import Program

AGENT_ENV = {"GOMAXPROCS": "1", "GOGC": "50"}
"""Of the agent of every WEC, whatever its manager: one thread, and garbage up to half of what is live (Go's default: as
much again), keep a hundred of them small. No GOMEMLIMIT: an agent with more live memory than that would collect all
the time.
"""


class Upstream(Protocol):
    """Where the upstream programs and CRDs lie (`fleet.toolchain.Toolchain` is one)."""

    def program(self, name: str) -> Path:
        """The executable of that name; ToolchainError when there is none."""
        ...

    def crd(self, name: str) -> Path:
        """The CustomResourceDefinition of that plural; ToolchainError when there is none."""
        ...


def reads(*files: Path) -> dict[str, str]:
    """The environment entry that makes a program restart when a file changes that it reads only at its start.

    A digest, so that a run that was killed between the write and the restart is repaired by the next.
    """
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes() if file.exists() else b"-")
    return {"FLEET_READS": digest.hexdigest()[:16]}


def started_by(word: str, programs: Sequence[Program]) -> list[Program]:
    """The same programs; under another word than before they start again. Empty: as they are."""
    return [replace(one, env={**one.env, "FLEET_RESTART": word}) for one in programs] if word else list(programs)


@dataclass(frozen=True)
class Extra:
    """What the user adds to one component; arguments come last so that they win."""

    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    def check(self, variable: str) -> None:
        """UsageError naming the variable when an argument is no flag."""
        for argument in self.args:
            if not argument.startswith("-") or "\n" in argument:
                raise UsageError(f"{variable}: {argument!r} is not of the form --flag=value")


def loopback(port: int) -> str:
    """host:port of a listener that only this machine reaches."""
    return f"127.0.0.1:{port}"
