"""The programs that a machine's supervisord runs: their states; orders to one of them, or to many in waves."""

from __future__ import annotations

import time
import xmlrpc.client
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import DeadlineError, HostError
from fleet.host.daemon import POLL, Daemon, log_tail
from fleet.host.layout import Layout
from fleet.host.patience import work_done
from fleet.host.supervisor_client import ORDER_SECONDS

SETTLE_SECONDS = 30.0
FAULT_ALREADY_STARTED = 60
FAULT_NOT_RUNNING = 70
FAULT_BAD_NAME = 10
UNKNOWN_PRIORITY = 500
DEAD = ("BACKOFF", "FATAL", "EXITED", "UNKNOWN")
ENDED = ("STOPPED", "EXITED", "FATAL", "UNKNOWN")
STOPPING = "STOPPING"


@dataclass(frozen=True)
class ProgramState:
    """One program now. `state` is supervisor's: RUNNING, STARTING, BACKOFF, STOPPING, STOPPED, EXITED,
    FATAL; `pid` 0 when none."""

    name: str
    state: str
    pid: int
    uptime: float
    error: str

    @property
    def running(self) -> bool:
        """Whether it has a process that is meant to stay."""
        return self.state in ("RUNNING", "STARTING")


class Programs:
    """All programs of the machine's folder `root` (`<state>/<fleet>`), as its supervisord knows them now."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root)
        self.daemon = Daemon(self.layout)

    def states(self) -> list[ProgramState]:
        """All programs, by name; empty when the daemon does not run."""
        try:
            infos = self.daemon.call("getAllProcessInfo")
        except (OSError, xmlrpc.client.ProtocolError):
            return []
        return sorted((_state(info) for info in infos), key=lambda s: s.name)

    def state(self, name: str) -> ProgramState | None:
        """One program, or None when it is not known (or the daemon does not run)."""
        try:
            return _state(self.daemon.call("getProcessInfo", name))
        except (OSError, xmlrpc.client.Error):
            return None

    def start(self, name: str) -> bool:
        """Start one program; True when it did not run."""
        return self._order("startProcess", name, FAULT_ALREADY_STARTED)

    def stop(self, name: str) -> bool:
        """Stop one program until it is started, or converged, again; True when it ran."""
        return self._order("stopProcess", name, FAULT_NOT_RUNNING)

    def restart(self, name: str) -> None:
        """Stop, if it runs, and start."""
        self.stop(name)
        self.start(name)

    def running(self) -> bool:
        """Whether the daemon answers."""
        return self.daemon.alive()

    def settle(self, names: Iterable[str], *, deadline: float = SETTLE_SECONDS) -> None:
        """Wait until each of `names` runs; HostError with the last log lines of the first that dies."""
        wanted = set(names)
        if not wanted:
            return
        end = time.monotonic() + deadline
        while True:
            by_name = {s.name: s for s in self.states() if s.name in wanted}
            for name in sorted(wanted):
                self.raise_if_dead(name, by_name.get(name))
            waiting = sorted(name for name, s in by_name.items() if s.state != "RUNNING")
            if not waiting and len(by_name) == len(wanted):
                return
            if time.monotonic() > end:
                names_left = ", ".join(waiting) or "programs"
                tail = self.tail(waiting[0]) if waiting else ""
                raise DeadlineError(f"{names_left} did not run within {deadline:.0f} s\n{tail}")
            time.sleep(POLL)

    def raise_if_dead(self, name: str, state: ProgramState | None) -> None:
        """HostError with the last log lines when the program died at once."""
        if state is not None and state.state in DEAD:
            raise HostError(
                f"{name} died at once ({state.state}; {state.error or 'no reason given'}); its last lines in"
                f" {self.layout.program_log(name)}:\n{self.tail(name)}"
            )

    def tail(self, name: str, lines: int = 15) -> str:
        """The last lines of a program's log, indented."""
        return log_tail(self.layout.program_log(name), lines)

    def work_done(self, *names: str) -> Hashable:
        """Changes whenever one of them writes its log, is started again, or uses CPU."""
        return tuple(work_done(self.layout.program_log(name), self._pids(name)) for name in names)

    def _pids(self, name: str) -> tuple[int, ...]:
        state = self.state(name)
        return (state.pid,) if state is not None and state.pid else ()

    def end(self, names: Sequence[str], priorities: Mapping[str, int] | None = None) -> None:
        """Stop programs in parallel, high priorities first, and forget them.

        `priorities` are those of before the files were read again, after which supervisord has none of a program that
        is gone from them.
        """
        if not names:
            return
        known = self.priorities() if priorities is None else priorities
        self.stop_in_waves({name: known.get(name, UNKNOWN_PRIORITY) for name in names})
        for name in names:
            self._unless((FAULT_BAD_NAME,), "removeProcessGroup", name)

    def priorities(self) -> dict[str, int]:
        """Of all programs: low ones start first and end last."""
        return {info["name"]: info["process_prio"] for info in self.daemon.call("getAllConfigInfo")}

    def stop_in_waves(self, priorities: Mapping[str, int]) -> None:
        """Stop programs, those of one priority together, high before low; DeadlineError for one that does not end."""
        for priority in sorted(set(priorities.values()), reverse=True):
            wave = {name for name, own in priorities.items() if own == priority}
            end = time.monotonic() + ORDER_SECONDS
            while left := [state for state in self.states() if state.name in wave and state.state not in ENDED]:
                if time.monotonic() > end:
                    names = ", ".join(f"{state.name} ({state.state})" for state in left)
                    raise DeadlineError(f"{names}: not stopped within {ORDER_SECONDS:.0f} s")
                # Again, too: one that ended by itself just before its order was started again after it.
                for state in left:
                    if state.state != STOPPING:
                        self._unless((FAULT_NOT_RUNNING, FAULT_BAD_NAME), "stopProcess", state.name, False)
                time.sleep(POLL)

    def _order(self, method: str, name: str, already: int) -> bool:
        try:
            self.daemon.call(method, name)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == already:
                return False
            known = ", ".join(s.name for s in self.states()) or "none"
            raise HostError(f"{name}: {fault.faultString}; programs are: {known}\n{self.tail(name)}") from fault
        except OSError as error:
            raise HostError(
                f"{name}: the supervisor of {self.layout.root} does not run: converge the fleet again ({error})"
            ) from error
        return True

    def _unless(self, codes: tuple[int, ...], method: str, *arguments: object) -> None:
        """One call; a fault with one of `codes` means that the wanted state was there already."""
        try:
            self.daemon.call(method, *arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode not in codes:
                raise HostError(f"supervisord refused {method} {arguments}: {fault.faultString}") from fault


def _state(info: Mapping[str, object]) -> ProgramState:
    now, start = int(str(info["now"])), int(str(info["start"]))
    pid = int(str(info["pid"]))
    return ProgramState(
        str(info["name"]), str(info["statename"]), pid, float(now - start) if pid else 0.0, str(info["spawnerr"])
    )
