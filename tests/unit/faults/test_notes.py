"""What a fault leaves on its machine so that whoever comes next can undo it, by a real helper that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from fleet.errors import FleetError, UsageError
from fleet.faults import helper, notes
from fleet.faults.beside import check
from fleet.faults.fault import Aim
from fleet.faults.registry import Planned, planned
from fleet.host.supervise import Supervisor
from fleet.model.during import DuringStep
from fleet.model.fleet_file import FleetFile
from tests.unit.faults.plain import PLAIN

TARGET = "transport.wds1"


def one(fleet: FleetFile, action: str, target: str = TARGET) -> Planned:
    step = DuringStep.model_validate({"at": "0s", "action": action, "target": target})
    (found,) = planned([step], fleet, ["t000"], PLAIN)
    return found


def injected(supervisor: Supervisor, aim: Aim) -> subprocess.Popen[bytes]:
    """A helper of its own that has done it."""
    process = subprocess.Popen(
        [sys.executable, "-m", helper.__name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    opening = helper.Opening(root=str(supervisor.layout.root)).model_dump_json()
    process.stdin.write(f"{opening}\n{helper.Order(verb='inject', aim=aim).model_dump_json()}\n".encode())
    process.stdin.flush()
    assert process.stdout.readline() == b'""\n'
    return process


@pytest.mark.parametrize("action", ["stop", "pause", "restart-loop"])
async def test_the_next_run_undoes_what_a_killed_helper_left(
    action: str, supervisor: Supervisor, fleet: FleetFile
) -> None:
    aim = one(fleet, action).aims[0]
    process = injected(supervisor, aim)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert notes.pending(supervisor.layout.root) == [aim]
    await check(fleet, [])
    state = supervisor.state(TARGET)
    assert state is not None
    assert state.state == "RUNNING"
    assert psutil.Process(state.pid).status() != psutil.STATUS_STOPPED
    assert notes.pending(supervisor.layout.root) == []


async def test_what_a_machine_cannot_do_is_refused_with_the_reason(supervisor: Supervisor, fleet: FleetFile) -> None:
    del supervisor
    store = one(fleet, "expire-certificate", "kwok.wec001")
    with pytest.raises(
        UsageError, match=r"during: expire-certificate of kwok.wec001 cannot be done on machine local: "
    ):
        await check(fleet, [store])


def test_a_note_that_is_damaged_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / notes.FOLDER).mkdir()
    (tmp_path / notes.FOLDER / "000-stop.json").write_text("{", encoding="ascii")
    with pytest.raises(FleetError, match=r"000-stop\.json is damaged"):
        notes.pending(tmp_path)


def test_what_cannot_be_undone_keeps_its_note(tmp_path: Path) -> None:
    aim = Aim(key="000-stop", action="stop", target="x", parts=["x"], fleet="demo", machine="local", repair="r")
    notes.write(tmp_path, aim)

    def refuse(_aim: Aim, _root: Path) -> None:
        raise FleetError("no")

    done, left = notes.repair(tmp_path, refuse)
    assert done == []
    assert left == ["stop of x, left by a run that was killed, could not be undone: no"]
    assert notes.pending(tmp_path) == [aim]
    done, left = notes.repair(tmp_path, lambda _aim, _root: None)
    assert (len(done), left, notes.pending(tmp_path)) == (1, [], [])
