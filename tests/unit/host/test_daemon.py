"""Which processes count as a fleet's supervisord, and what happens to one that does not answer."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from fleet.errors import DeadlineError
from fleet.host import supervisor_client
from fleet.host.supervise import Supervisor
from fleet.observe.processes import supervised
from tests.unit.host.test_supervise import lives, loop, pids


def test_who_only_reads_the_configuration_is_no_daemon_and_is_left_alone(supervisor: Supervisor) -> None:
    supervisor.converge("g", [loop("a.x")])
    config = str(supervisor.daemon.config)
    reader = subprocess.Popen(["tail", "-f", config], stdout=subprocess.DEVNULL)
    script = "import signal; signal.pause()"
    editor = subprocess.Popen([sys.executable, "-c", script, "supervisord", config])
    try:
        (daemon,) = supervisor.daemon.processes()
        assert daemon.pid not in (reader.pid, editor.pid)
        daemon.kill()
        assert supervisor.converge("g", [loop("b.x")]).changed
        supervisor.shutdown()
        assert reader.poll() is None
        assert editor.poll() is None
    finally:
        for process in (reader, editor):
            process.kill()
            process.wait()


def test_one_that_hangs_is_reported_and_its_programs_stay(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor.converge("g", [loop("a.x")])
    program = psutil.Process(pids(supervisor)["a.x"])
    (daemon,) = supervisor.daemon.processes()
    monkeypatch.setattr(supervisor_client, "ANSWER_SECONDS", 0.2)
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        with pytest.raises(DeadlineError, match=r"supervisord did not answer getAllProcessInfo within 0.2 s"):
            supervisor.converge("g", [loop("b.x")])
        assert supervised(supervisor.layout.root, 0.2)() == {}
        assert lives(program)
        assert supervisor.shutdown()
        assert not lives(daemon)
        assert not lives(program)
    finally:
        if lives(daemon):
            daemon.send_signal(signal.SIGCONT)


def test_a_call_ends_when_nothing_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(str(path))
        silent.listen()
        with pytest.raises(DeadlineError, match="did not answer getState"):
            supervisor_client.call(path, "getState", seconds=0.1)
    with pytest.raises(ConnectionRefusedError):
        supervisor_client.call(path, "getState", seconds=0.1)
