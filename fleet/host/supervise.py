"""The programs of one machine under supervisor, converged by group; all ended at once."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock
from filelock import Timeout as LockTimeout

from fleet.errors import DeadlineError, HostError
from fleet.host.change import Change
from fleet.host.daemon import Daemon, log_tail
from fleet.host.files import private_directory, write_private
from fleet.host.programs import FAULT_ALREADY_STARTED, SETTLE_SECONDS, Programs
from fleet.host.supervisor_config import Program, render_group, sections

__all__ = ["Program", "Staged", "Supervisor"]

LOCK_SECONDS = 900.0
"""A convergence of another group may take minutes; two at once must not mix their reloads."""
FAULT_ALREADY_ADDED = 90


class Staged:
    """A convergence under way: programs that must go are gone; `start` brings up the rest, all at once or in waves.

    `pending` are the names that are to be started (new, changed, or found dead), in the order of their priority.
    `start` may be called from several threads. What was not started when the stage ends is started then.
    """

    def __init__(
        self, daemon: Daemon, pending: Sequence[str], known: frozenset[str], change: Change, watched: tuple[str, ...]
    ) -> None:
        self._daemon = daemon
        self._left = dict.fromkeys(pending)
        self._known = known
        self.pending = tuple(pending)
        self.change = change
        self.watched = watched
        """Programs that are young: a caller that waits for them learns which dies at once."""

    def start(self, names: Iterable[str]) -> None:
        """Start those of `names` that are pending; returns at once."""
        for name in names:
            if self._left.pop(name, name) is None:
                self._start(name)

    def finish(self) -> None:
        """Start what is left."""
        self.start(list(self._left))

    def _start(self, name: str) -> None:
        method = "startProcess" if name in self._known else "addProcessGroup"
        arguments = (name, False) if name in self._known else (name,)
        try:
            self._daemon.call(method, *arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode in (FAULT_ALREADY_STARTED, FAULT_ALREADY_ADDED):
                return
            raise HostError(
                f"{name} cannot be started: {fault.faultString}\n{log_tail(self._daemon.layout.program_log(name))}"
            ) from fault


class Supervisor(Programs):
    """The programs, and the groups that they are kept in."""

    def converge(self, group: str, programs: Iterable[Program], *, check: bool = False) -> Change:
        """Make `programs` exactly what runs in `group`: new ones start, changed ones restart, gone ones end.

        Programs that were found dead or stopped are started again. With `check` nothing is done; the Change is the
        same. Raises HostError with the last log lines of a program that dies at once.
        """
        programs = list(programs)
        if check:
            return self._difference(group, programs)
        with self.stage(group, programs) as staged:
            staged.finish()
        self.settle(staged.watched)
        return staged.change

    @contextmanager
    def stage(self, group: str, programs: Iterable[Program]) -> Iterator[Staged]:
        """Like `converge`, but the caller says what starts when; see `Staged`."""
        programs = list(programs)
        _check_names(programs)
        with self._locked():
            change = self._difference(group, programs)
            # A dead daemon starts, first, with what it ran before: new programs are left to the caller's
            # waves.
            started = self.daemon.ensure()
            self._write(group, programs)
            staged = self._reload(programs, change, started=started)
            yield staged
            staged.finish()

    def drop(self, group: str, names: Iterable[str], *, check: bool = False) -> Change:
        """End and forget the programs `names` of `group` and leave its others as they are; absent ones are
        fine."""
        gone = set(names)
        try:
            stored = sections(self._file(group).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Change.none()
        before = {f"program {name}": _describe(stored[name], "stored") for name in sorted(gone & stored.keys())}
        if check or not before:
            return Change.between(before, {})
        with self._locked():
            self.daemon.ensure()
            kept = "\n\n".join(text for name, text in stored.items() if name not in gone)
            if kept:
                write_private(self._file(group), (kept + "\n").encode())
            else:
                self._file(group).unlink(missing_ok=True)
            self.end(sorted(gone & {state.name for state in self.states()}))
            self.daemon.call("reloadConfig")
        return Change.between(before, {})

    def shutdown(self) -> bool:
        """End every program, in waves from high priority to low, then the daemon; True when something ran.
        Leaves no process."""
        with self._locked():
            alive = False
            with suppress(DeadlineError):  # one that hangs is killed, and its programs are ended as orphans
                alive = self.daemon.alive()
                if alive:
                    self.stop_in_waves(self.priorities())
            left = self.daemon.processes() or self.daemon.orphans()
            self.daemon.end(grace=SETTLE_SECONDS)
            return alive or bool(left)

    # What follows is private to the class.

    def _file(self, group: str) -> Path:
        return self.layout.supervisor / "conf.d" / f"{group}.conf"

    def _write(self, group: str, programs: list[Program]) -> None:
        file = self._file(group)
        for directory in (self.layout.root, self.layout.run, self.layout.log, self.layout.supervisor, file.parent):
            private_directory(directory)
        if programs:
            write_private(file, render_group(programs, self.layout).encode())
        else:
            file.unlink(missing_ok=True)

    def _difference(self, group: str, programs: list[Program]) -> Change:
        """What converging would change, in words."""
        try:
            stored = sections(self._file(group).read_text(encoding="utf-8"))
        except FileNotFoundError:
            stored = {}
        wanted = sections(render_group(programs, self.layout))
        states = {s.name: s for s in self.states()}
        before, after = {}, {}
        for name in sorted(stored.keys() | wanted.keys()):
            key = f"program {name}"
            state = states.get(name)
            if name in stored:
                before[key] = _describe(
                    stored[name], "running" if state and state.running else state.state.lower() if state else "dead"
                )
            if name in wanted:
                after[key] = _describe(wanted[name], "running")
        return Change.between(before, after)

    def _reload(self, programs: list[Program], change: Change, *, started: bool) -> Staged:
        """Reread the files, end what is gone or changed, and say what is to be started."""
        priorities = self.priorities()
        added, changed, removed = self.daemon.call("reloadConfig")[0]
        self.end([*changed, *removed], priorities)
        ours = {program.name: program for program in programs}
        if not started:
            # One that keeps dying is stopped, and started again with what changed, so that its old death is
            # not taken for a new one.
            self.stop_in_waves(
                {s.name: 0 for s in self.states() if s.name in ours and s.state in ("STARTING", "BACKOFF")}
            )
        states = {s.name: s for s in self.states()}
        idle = [name for name, s in states.items() if name in ours and s.state in ("STOPPED", "FATAL", "EXITED")]
        pending = [*added, *changed, *idle]
        pending.sort(key=lambda name: (ours[name].priority if name in ours else 0, name))
        return Staged(self.daemon, pending, frozenset(states), change, tuple(ours) if started else tuple(pending))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        private_directory(self.layout.root)
        private_directory(self.layout.run)
        lock = self.layout.run / "supervisor.lock"
        try:
            # One lock per process and file: while a stage is open, another of this process may be opened within it.
            with FileLock(lock, timeout=LOCK_SECONDS, mode=0o600, thread_local=False, is_singleton=True):
                yield
        except LockTimeout as error:
            raise HostError(
                f"{lock} is held by another program for more than {LOCK_SECONDS:.0f} s: wait for it to end"
            ) from error


def _describe(section: str, state: str) -> str:
    """One line for a diff: the command, its state, and the settings that a restart would follow."""
    fields = dict(line.split("=", 1) for line in section.splitlines()[1:] if "=" in line)
    environment = f" [{fields['environment']}]" if fields.get("environment") else ""
    rest = f"priority {fields['priority']}, stop {fields['stopwaitsecs']} s, log {fields['stdout_logfile']}"
    return f"{state}: {fields['command']}{environment} ({rest}, in {fields['directory']})"


def _check_names(programs: Sequence[Program]) -> None:
    names = [program.name for program in programs]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise HostError(f"two programs are named {', '.join(doubled)}")
