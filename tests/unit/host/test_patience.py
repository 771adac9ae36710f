"""Waiting for a program that starts: its deadline, and beyond it while a starved machine lets it get on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fleet.errors import DeadlineError
from fleet.host.https import Endpoint
from fleet.host.patience import CAP, STALL_SECONDS, Patience, work_done
from fleet.host.pressure import Pressure, pressure
from fleet.host.ready import wait_ready

IDLE = Pressure({"cpu": 3.0}, {"cpu": 0.0}, 0.5, 2)
STARVED = Pressure({"cpu": 97.0}, {"cpu": 0.0}, 80.0, 2)
SECONDS = 100.0


class Wait:
    """A wait whose clock and program are in the test's hands."""

    def __init__(self, now: Pressure) -> None:
        self.now, self.at, self.done = now, 0.0, 0
        self.patience = Patience(SECONDS, lambda: self.done, lambda: self.now, lambda: self.at)

    def until(self, seconds: float, *, works: bool) -> bool:
        """Whether waiting on has any use when that many seconds have passed, looked at every 10."""
        while self.at < seconds:
            self.at += 10
            self.done += works
            left = self.patience.left()
        return left


def test_on_an_idle_machine_the_deadline_holds_whatever_the_program_does() -> None:
    assert Wait(IDLE).until(SECONDS, works=False)
    assert not Wait(IDLE).until(SECONDS + 10, works=True)


def test_on_a_starved_machine_it_is_waited_for_while_it_gets_on() -> None:
    assert Wait(STARVED).until(CAP * SECONDS, works=True)
    assert not Wait(STARVED).until(SECONDS + 10, works=False)


def test_the_cap_holds_even_there() -> None:
    assert not Wait(STARVED).until(CAP * SECONDS + 10, works=True)


def test_what_stands_still_beyond_the_deadline_is_given_up() -> None:
    wait = Wait(STARVED)
    assert wait.until(SECONDS + 50, works=True)
    assert not wait.until(SECONDS + 50 + STALL_SECONDS + 10, works=False)
    assert "it last got on 70 s ago; the machine is starved" in wait.patience.told()


def test_the_error_of_an_api_server_says_how_starved_the_machine_was(tmp_path: Path) -> None:
    nobody = Endpoint("https://127.0.0.1:1", tmp_path / "ca", tmp_path / "crt", tmp_path / "key")
    with pytest.raises(DeadlineError, match=r"its1: .* the machine is (not )?starved .*; load [\d.]+ on \d+ core"):
        wait_ready("its1", nobody, deadline=0.0, alive=lambda: None, tail=lambda: "")


def test_pressure_is_read_as_the_kernel_writes_it(tmp_path: Path) -> None:
    (tmp_path / "pressure").mkdir()
    line = "some avg10=91.50 avg60=1.00 avg300=0.00 total=1\nfull avg10=12.00 avg60=0.00 avg300=0.00 total=1\n"
    (tmp_path / "pressure" / "cpu").write_text(line)
    found = pressure(tmp_path)
    assert (found.some, found.full, found.starved) == ({"cpu": 91.5}, {"cpu": 12.0}, True)
    assert str(found).startswith("the machine is starved (pressure over 10 s: cpu 92 % some and 12 % full; load ")


def test_without_pressure_information_the_load_tells() -> None:
    assert Pressure({}, {}, 60.0, 2).starved
    assert not Pressure({}, {}, 1.0, 2).starved


def test_work_is_seen_in_log_and_cpu(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    before = work_done(log, [os.getpid()])
    log.write_text("a line\n")
    assert work_done(log, [os.getpid()]) != before
    assert work_done(tmp_path / "none", [999_999_999]) == (0, ())
