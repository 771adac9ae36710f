"""The one `supervisord` of a machine and fleet: found, started detached, repaired after SIGKILL, ended."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
import xmlrpc.client
from pathlib import Path
from typing import Any

import psutil

from fleet.errors import DeadlineError, HostError
from fleet.host import supervisor_client
from fleet.host.files import private_directory, write_private
from fleet.host.layout import Layout
from fleet.host.supervisor_config import check_socket_path, render_daemon

START_DEADLINE = 30.0
KILL_GRACE = 10.0
POLL = 0.05
NICENESS = 10
"""Of the daemon and all that it runs, and of their session where the kernel schedules sessions against each other
(`sched_autogroup_enabled`). A fleet that fills its machine must not keep the driver from noting when a watch line came;
among themselves the programs compete as before."""
KEPT_ENVIRONMENT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TMPDIR", "TZ")
"""All that a program inherits: KUBECONFIG, proxies and tokens of the caller's session must not reach it by
chance."""


def log_tail(path: Path, lines: int = 15) -> str:
    """The last lines of a log, indented, for an error message; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(f"    {line[:500]}" for line in text.splitlines()[-lines:])


class Daemon:
    """Finds, starts and ends the daemon of `layout.root`; the daemon's programs belong to
    `fleet.host.supervise`."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.socket = layout.run / "supervisor.sock"
        self.config = layout.supervisor / "supervisord.conf"
        self.url = f"unix://{self.socket}"
        if re.search(r"[\s\"'*?\[\]]", str(layout.root)):
            raise HostError(f"{layout.root} holds white space, quotes or wildcards: choose another fleet_state_dir")
        check_socket_path(self.socket)

    def call(self, method: str, *arguments: Any) -> Any:
        """One call of supervisord's XML-RPC interface; OSError when it does not run, DeadlineError when it hangs."""
        return supervisor_client.call(self.socket, method, *arguments)

    def alive(self) -> bool:
        """Whether it answers on its socket; DeadlineError for one that listens and does not answer."""
        if not self.socket.exists():
            return False
        try:
            return bool(self.call("getState")["statecode"] == 1)
        except (OSError, xmlrpc.client.Error):
            return False

    def processes(self) -> list[psutil.Process]:
        """Daemons of this folder: recognised by the whole command that started them, so that neither a reused pid
        nor another program that was given the same file (`tail -f`, an editor) is taken for ours."""
        wanted = self._command()[1:]
        found = []
        for process in psutil.process_iter():
            try:
                argv = process.cmdline()
            except psutil.Error:
                continue
            if argv[1:] == wanted:
                found.append(process)
        return found

    def orphans(self) -> list[psutil.Process]:
        """Programs that a daemon of this folder started and that lost it (SIGKILL); found by the
        environment they were given."""
        daemons = {process.pid for process in self.processes()}
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("SUPERVISOR_SERVER_URL") == self.url and process.ppid() not in daemons:
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return [process for process in found if process.pid != os.getpid() and process.pid not in daemons]

    def clear(self) -> bool:
        """End what a daemon that was killed left behind, its programs and its socket; False when it lives."""
        if self.alive():
            return False
        kill(self.processes(), grace=0.0)
        kill(self.orphans(), grace=KILL_GRACE)
        self.socket.unlink(missing_ok=True)
        return True

    def ensure(self) -> bool:
        """Make sure that it runs; True when it had to be started. What a dead one left behind is ended
        first."""
        if not self.clear():
            return False
        for directory in (
            self.layout.root,
            self.layout.run,
            self.layout.log,
            self.layout.supervisor,
            self.config.parent / "conf.d",
        ):
            private_directory(directory)
        write_private(self.config, render_daemon(self.layout).encode())
        environment = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
        command = ["nice", "-n", str(NICENESS), *self._command()]
        # It leaves this process behind (one fork, and a session of its own) and answers for its
        # configuration first.
        done = subprocess.run(
            command,
            env=environment,
            cwd=self.layout.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            umask=0o077,
            timeout=START_DEADLINE,
            start_new_session=True,
        )
        log = self.layout.log / "supervisord.log"
        if done.returncode != 0:
            raise HostError(f"supervisord did not start: {(done.stderr or done.stdout).strip()}\n{log_tail(log)}")
        deadline = time.monotonic() + START_DEADLINE
        while not self.alive():
            if time.monotonic() > deadline:
                raise DeadlineError(f"{self.socket} did not answer in {START_DEADLINE:.0f} s\n{log_tail(log)}")
            time.sleep(POLL)
        self._let_others_first()
        return True

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "supervisor.supervisord", "-c", str(self.config)]

    def _let_others_first(self) -> None:
        """The session's niceness; a kernel without such groups has no such file, and a process's own suffices there."""
        for process in self.processes():
            with contextlib.suppress(OSError):
                Path(f"/proc/{process.pid}/autogroup").write_text(str(NICENESS))

    def end(self, grace: float) -> None:
        """End the daemon, and every program that it leaves behind; one that hangs is killed."""
        # One that is on its way out, or hangs, does not answer: what is left is killed below.
        with contextlib.suppress(OSError, xmlrpc.client.Error, DeadlineError):
            if self.alive():
                self.call("shutdown")
                psutil.wait_procs(self.processes(), timeout=grace)
        kill(self.processes(), grace=0.0)
        kill(self.orphans(), grace=KILL_GRACE)
        self.socket.unlink(missing_ok=True)


def kill(processes: list[psutil.Process], *, grace: float) -> None:
    """SIGTERM, wait `grace` seconds, SIGKILL; psutil refuses to signal a pid that was reused meanwhile."""
    alive = processes
    if grace > 0:
        for process in processes:
            _signal(process, hard=False)
        _, alive = psutil.wait_procs(processes, timeout=grace)
    for process in alive:
        _signal(process, hard=True)
    psutil.wait_procs(alive, timeout=KILL_GRACE)


def _signal(process: psutil.Process, *, hard: bool) -> None:
    try:
        process.kill() if hard else process.terminate()
    except psutil.NoSuchProcess:
        return
