"""The real supervisord with real small programs: converged, repaired after SIGKILL, ended without a trace."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from fleet.errors import HostError
from fleet.host.supervise import Program, Supervisor
from fleet.host.supervisor_config import quote, quote_env

LOOP = "import signal; signal.pause()"
ECHO = (
    "import json, os, signal, sys; "
    "print(json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]), flush=True); signal.pause()"
)


CARRIER = (
    "import pathlib, signal, sys; here = pathlib.Path(sys.argv[1]); here.touch(); "
    "signal.signal(signal.SIGTERM, lambda *_: (here.unlink(), sys.exit())); signal.pause()"
)
CARRIED = (
    "import pathlib, signal, sys, time; here, seen = map(pathlib.Path, sys.argv[1:]); "
    "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.5), seen.write_text(str(here.exists())), sys.exit())); "
    "signal.pause()"
)


def loop(name: str, *arguments: str, priority: int = 500) -> Program:
    return Program(name, (sys.executable, "-c", LOOP, *arguments), priority=priority, stop_seconds=2)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.05)


def pids(supervisor: Supervisor) -> dict[str, int]:
    return {state.name: state.pid for state in supervisor.states()}


def test_adds_restarts_and_removes_only_what_differs(supervisor: Supervisor) -> None:
    first = supervisor.converge("g", [loop("a.x"), loop("b.x"), loop("c.x")])
    assert first.changed
    assert first.before == {}
    before = pids(supervisor)
    assert not supervisor.converge("g", [loop("a.x"), loop("b.x"), loop("c.x")]).changed
    change = supervisor.converge("g", [loop("a.x"), loop("b.x", "other"), loop("d.x")])
    assert sorted(change.before) == ["program b.x", "program c.x"]
    assert sorted(change.after) == ["program b.x", "program d.x"]
    after = pids(supervisor)
    assert sorted(after) == ["a.x", "b.x", "d.x"]
    assert after["a.x"] == before["a.x"]
    assert after["b.x"] != before["b.x"]
    assert not psutil.pid_exists(before["c.x"])


def test_groups_do_not_touch_each_other(supervisor: Supervisor) -> None:
    supervisor.converge("g", [loop("a.x")])
    before = pids(supervisor)["a.x"]
    supervisor.converge("h", [loop("b.x")])
    supervisor.converge("h", [])
    assert pids(supervisor) == {"a.x": before}


def test_check_mode_tells_the_same_and_does_nothing(supervisor: Supervisor) -> None:
    told = supervisor.converge("g", [loop("a.x")], check=True)
    assert not supervisor.running()
    assert not supervisor.layout.root.exists()
    assert supervisor.converge("g", [loop("a.x")]) == told
    told = supervisor.converge("g", [loop("b.x")], check=True)
    assert list(pids(supervisor)) == ["a.x"]
    assert supervisor.converge("g", [loop("b.x")]) == told


def test_arguments_environment_and_folder_arrive_unchanged(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "of-the-caller")
    arguments = ["plain", "two words", "50%", "a #b ;c", "quote'\"s", "$HOME", ""]
    program = Program("echo.x", (sys.executable, "-c", ECHO, *arguments), {"GOGC": "50%", "WORDS": "a b,c=d"})
    supervisor.converge("g", [program])
    log = supervisor.layout.program_log("echo.x")
    until(lambda: log.exists() and log.read_text().endswith("\n"))
    argv, environment, directory = json.loads(log.read_text())
    assert argv == arguments
    assert environment["GOGC"] == "50%"
    assert environment["WORDS"] == "a b,c=d"
    assert "KUBECONFIG" not in environment
    assert Path(directory) == supervisor.layout.root


def test_a_program_that_dies_at_once_is_named_with_its_last_lines(supervisor: Supervisor) -> None:
    dying = Program("bad.x", (sys.executable, "-c", "import sys; sys.exit('no such flag')"))
    with pytest.raises(HostError, match=r"bad\.x died at once.*\n.*no such flag"):
        supervisor.converge("g", [dying])
    assert supervisor.converge("g", [loop("bad.x")]).changed
    assert [state.state for state in supervisor.states()] == ["RUNNING"]


def test_a_killed_program_comes_back(supervisor: Supervisor) -> None:
    supervisor.converge("g", [loop("a.x")])
    before = pids(supervisor)["a.x"]
    os.kill(before, signal.SIGKILL)
    until(lambda: pids(supervisor)["a.x"] not in (0, before))


def test_a_killed_supervisor_is_repaired_and_leaves_no_double(supervisor: Supervisor) -> None:
    supervisor.converge("g", [loop("a.x"), loop("b.x")])
    before = pids(supervisor)
    (daemon,) = supervisor.daemon.processes()
    daemon.kill()
    until(lambda: not supervisor.daemon.processes())
    assert {process.pid for process in supervisor.daemon.orphans()} == set(before.values())
    change = supervisor.converge("g", [loop("a.x"), loop("c.x")])
    assert sorted(change.after) == ["program a.x", "program c.x"]
    assert [state.name for state in supervisor.states() if state.running] == ["a.x", "c.x"]
    assert not [pid for pid in before.values() if psutil.pid_exists(pid)]


def test_stopped_until_started_or_converged(supervisor: Supervisor) -> None:
    supervisor.converge("g", [loop("a.x")])
    assert supervisor.stop("a.x")
    assert not supervisor.stop("a.x")
    assert supervisor.start("a.x")
    assert not supervisor.start("a.x")
    supervisor.restart("a.x")
    supervisor.stop("a.x")
    assert supervisor.converge("g", [loop("a.x")]).changed
    assert pids(supervisor)["a.x"] != 0


def test_an_unknown_program_is_an_error_that_lists_the_known(supervisor: Supervisor) -> None:
    supervisor.converge("g", [loop("a.x")])
    with pytest.raises(HostError, match=r"b\.x: .*programs are: a\.x"):
        supervisor.stop("b.x")


def test_drop_leaves_the_others_of_the_group(supervisor: Supervisor) -> None:
    supervisor.converge("g", [loop("a.x"), loop("b.x")])
    before = pids(supervisor)
    assert supervisor.drop("g", ["b.x", "never.there"]).changed
    assert not supervisor.drop("g", ["b.x"]).changed
    assert pids(supervisor) == {"a.x": before["a.x"]}
    assert not supervisor.converge("g", [loop("a.x")]).changed


def test_what_is_gone_from_the_files_ends_in_waves_too(supervisor: Supervisor, tmp_path: Path) -> None:
    here, seen = tmp_path / "here", tmp_path / "seen"
    carrier = Program("a.carrier", (sys.executable, "-c", CARRIER, str(here)), priority=390)
    carried = Program("b.carried", (sys.executable, "-c", CARRIED, str(here), str(seen)), priority=400)
    supervisor.converge("g", [carrier, carried])
    until(here.exists)
    supervisor.converge("g", [])
    assert supervisor.states() == []
    assert seen.read_text() == "True"
    assert not here.exists()


def test_waves_start_when_the_caller_says(supervisor: Supervisor) -> None:
    with supervisor.stage("g", [loop("a.x", priority=100), loop("b.x", priority=200)]) as staged:
        assert staged.pending == ("a.x", "b.x")
        staged.start(["a.x"])
        assert [state.name for state in supervisor.states()] == ["a.x"]
    supervisor.settle(["a.x", "b.x"])
    assert len(supervisor.states()) == 2


def lives(process: psutil.Process) -> bool:
    """Not when it has ended and only its parent's notice is due: on a busy machine that takes a while."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_shutdown_leaves_no_process_and_is_idempotent(supervisor: Supervisor) -> None:
    supervisor.converge("g", [loop("a.x", priority=100), loop("b.x", priority=200)])
    ours = [psutil.Process(pid) for pid in pids(supervisor).values()] + supervisor.daemon.processes()
    assert supervisor.shutdown()
    assert [process for process in ours if lives(process)] == []
    assert not supervisor.shutdown()
    assert supervisor.states() == []


def test_the_socket_and_the_folders_are_private(supervisor: Supervisor) -> None:
    supervisor.converge("g", [loop("a.x")])
    assert supervisor.daemon.socket.stat().st_mode & 0o777 == 0o600
    for path in supervisor.layout.root.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_two_programs_of_one_name_are_refused(supervisor: Supervisor) -> None:
    with pytest.raises(HostError, match=r"two programs are named a\.x"):
        supervisor.converge("g", [loop("a.x"), replace(loop("a.x"), priority=1)])


def test_a_socket_path_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"too long for a unix socket.*choose a shorter fleet_state_dir"):
        Supervisor(tmp_path / ("x" * 90))


def test_a_folder_that_supervisord_cannot_name_is_refused() -> None:
    with pytest.raises(HostError, match="white space"):
        Supervisor(Path("/tmp/a b"))  # noqa: S108 - nothing is made there


def test_what_cannot_be_quoted_is_refused() -> None:
    with pytest.raises(HostError, match="line break"):
        quote("a\nb")
    with pytest.raises(HostError, match="cannot pass on"):
        quote_env("A", 'say "x"')
    with pytest.raises(HostError, match="not the name of an environment variable"):
        quote_env("A-B", "x")
