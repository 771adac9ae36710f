"""One look at a machine: its programs' states, what they take at two moments, its memory. Also run there over SSH."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from fleet.errors import HostError
from fleet.host.process_stats import ProcessWeight, weigh_pids
from fleet.host.programs import ProgramState
from fleet.host.supervise import Supervisor


@dataclass(frozen=True)
class Look:
    """What was seen; `seconds` lie between the two weighings. Memory in bytes."""

    states: tuple[ProgramState, ...]
    first: tuple[ProcessWeight, ...]
    second: tuple[ProcessWeight, ...]
    seconds: float
    total: int
    available: int

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))


def parse(text: str) -> Look:
    """A look that was taken on another machine, by the same release; HostError when it is not one."""
    try:
        document = json.loads(text)
        return Look(
            tuple(ProgramState(**entry) for entry in document.pop("states")),
            tuple(ProcessWeight(**entry) for entry in document.pop("first")),
            tuple(ProcessWeight(**entry) for entry in document.pop("second")),
            **document,
        )
    except (ValueError, TypeError, KeyError) as error:
        raise HostError(f"the machine runs another release of this program ({error}): run site.yml again") from error


def weigh_states(states: Iterable[ProgramState]) -> tuple[ProcessWeight, ...]:
    """The processes of those programs."""
    return tuple(weigh_pids((state.name, state.pid) for state in states if state.pid))


def look(state_dir: Path, seconds: float) -> Look:
    """Look at this machine, twice."""
    states = tuple(Supervisor(state_dir).states()) if state_dir.is_dir() else ()
    began, first = time.monotonic(), weigh_states(states)
    time.sleep(seconds)
    ended, second = time.monotonic(), weigh_states(states)
    memory = psutil.virtual_memory()
    return Look(states, first, second, ended - began, memory.total, memory.available)


def main() -> None:
    """`python -m fleet.host.machine_state STATE_DIR SECONDS`."""
    sys.stdout.write(look(Path(sys.argv[1]), float(sys.argv[2])).text() + "\n")


if __name__ == "__main__":
    main()
