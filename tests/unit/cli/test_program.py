from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from fleet.cli import complete
from fleet.cli.program import run
from fleet.errors import (
    CapacityError,
    DeadlineError,
    FleetError,
    KubeError,
    MeasurementError,
    SpecError,
    ThresholdError,
    ToolchainError,
    UsageError,
)
from tests.unit.cli.conftest import Fleet
from tests.unit.model.fleets import document, write


def raising(error: BaseException) -> Callable[[list[str]], int]:
    def invoke(_: list[str]) -> int:
        raise error

    return invoke


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FleetError("x"), 1),
        (UsageError("x"), 2),
        (SpecError("x", file="f", line=3, field="a.b"), 2),
        (ThresholdError("x"), 3),
        (MeasurementError("x"), 4),
        (DeadlineError("x"), 5),
        (ToolchainError("x"), 1),
        (CapacityError("x"), 2),
        (KubeError("x", cluster="wec001"), 1),
        (typer.BadParameter("x"), 2),
        (typer.Abort(), 1),
        (KeyboardInterrupt(), 130),
        (SystemExit(7), 7),
        (PermissionError(13, "Permission denied", "/some/file"), 1),
        (ZeroDivisionError("x"), 1),
    ],
)
def test_every_error_has_its_exit_code_and_no_traceback(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([], raising(error)) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    assert len(printed.err.splitlines()) <= 2


def test_errors_are_cleaned_and_tell_the_place(capsys: pytest.CaptureFixture[str]) -> None:
    run([], raising(SpecError("bad \x1b[31mred\x1b]0;title\x07", file="f.yaml", line=3, field="a.b")))
    assert capsys.readouterr().err == "error: f.yaml:3: a.b: bad red\n"
    run([], raising(PermissionError(13, "Permission denied", "/some/file")))
    assert capsys.readouterr().err == "error: /some/file: Permission denied\n"


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    run(["--debug"], raising(UsageError("x")))
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.setenv("FLEET_DEBUG", "1")
    run([], raising(ZeroDivisionError("x")))
    assert "Traceback" in capsys.readouterr().err


def test_debug_is_taken_anywhere(fleet: Fleet) -> None:
    ran = fleet("status", "--debug")
    assert ran.code == 2
    assert "Traceback" in ran.err


def test_usage_errors_name_the_word_and_the_help(fleet: Fleet) -> None:
    ran = fleet("stauts")
    assert (ran.code, ran.out) == (2, "")
    assert "'stauts'" in ran.err
    assert "`fleet --help`" in ran.err
    ran = fleet("status", "--nope")
    assert ran.code == 2
    assert "--nope" in ran.err
    assert "`fleet status --help`" in ran.err


def test_help_and_version_go_to_stdout(fleet: Fleet) -> None:
    ran = fleet("--help")
    assert ran.code == 0
    assert "Exit codes: 0 success" in ran.out
    for group in ("experiment", "cluster", "toolchain"):
        assert fleet(group, "--help").code == 0
    ran = fleet("version")
    assert ran.out.startswith("fleet ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(fleet: Fleet, shell: str) -> None:
    ran = fleet("completion", shell)
    assert ran.code == 0
    assert "_FLEET_COMPLETE" in ran.out


@pytest.mark.parametrize(
    ("words", "found"),
    [("fleet exp", {"export", "experiment"}), ("fleet experiment run pol", {"policy-scaling"}),
     ("fleet report --for", {"--format"}), ("fleet schema tr", {"trace"})],
)  # fmt: skip
def test_a_shell_gets_what_fits(words: str, found: set[str]) -> None:
    """As the script of `fleet completion bash` asks: in a process of its own, by the environment."""
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1), "_FLEET_COMPLETE": "complete_bash"}
    ran = subprocess.run(
        [sys.executable, "-m", "fleet"], env={**os.environ, **asked}, capture_output=True, text=True, check=True,
        timeout=60, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert set(ran.stdout.split()) == found


def test_runs_and_fleets_are_completed_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "results" / "wec-scaling" / "20261122T180000Z-0000000a"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert complete.runs("2026") == [folder.name]
    assert complete.runs("x") == complete.fleets("x") == []
    write(tmp_path / "state" / "other", document(tmp_path / "state" / "other"))
    assert complete.fleets("") == ["other"]


def test_completion_of_an_unknown_shell(fleet: Fleet) -> None:
    assert fleet("completion", "tcsh").code == 2


def test_every_option_has_a_variable_of_its_own(fleet: Fleet) -> None:
    """Read off the help: what begins with `--` and has no `FLEET_` behind it is --help."""
    for words in (
        ("up",), ("down",), ("status",), ("report",), ("runs",), ("compare",), ("export",), ("logs",),
        ("kubeconfig",), ("doctor",),
        ("experiment", "run"), ("experiment", "plan"), ("experiment", "show"), ("experiment", "clean"),
        ("cluster", "stop"), ("toolchain", "build"),
    ):  # fmt: skip
        options = fleet(*words, "--help").out.partition("Options:")[2]
        entries = options.replace("\n  -", "\n\n  -").split("\n\n")
        for entry in entries:
            text = " ".join(entry.split())
            if text.startswith("-") and "--help" not in text:
                assert "FLEET_" in text, f"{words}: {text}"


def process(*words: str, **options: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "fleet", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_signals_end_a_command_quietly(demo: Path, number: signal.Signals, code: int) -> None:
    log = demo.parent / "log" / "kube-apiserver.its1.log"
    log.parent.mkdir()
    log.write_text("first\n")
    # A job in the background of a shell, as a test run may be, ignores SIGINT, and so would the command.
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    with process("logs", "kube-apiserver.its1", "-f", **heard) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"first\n"
        running.send_signal(number)
        _, err = running.communicate(timeout=30)
    assert (running.returncode, err) == (code, b"")


def test_a_reader_that_goes_away_is_met_with_silence(demo: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with subprocess.Popen(
        [sys.executable, "-m", "fleet", "cluster", "list"], stdout=write, stderr=subprocess.PIPE
    ) as running:
        os.close(write)
        _, err = running.communicate(timeout=30)
    assert err == b""
    assert running.returncode == 141
    assert demo.exists()


@pytest.mark.parametrize(
    ("given", "invoked"),
    [
        ("exec m2 -- prog --debug", "exec m2 -- prog --debug"),
        ("exec m2 prog --debug", "exec m2 prog --debug"),
        ("--debug exec m2 -- prog --debug", "exec m2 -- prog --debug"),
        ("exec --debug m2 prog", "exec m2 prog"),
        ("exec --fleet demo --debug m2 -- prog", "exec --fleet demo m2 -- prog"),
        ("status --debug", "status"),
    ],
)
def test_debug_of_a_program_that_exec_runs_is_that_programs(given: str, invoked: str) -> None:
    words: list[str] = []

    def invoke(seen: list[str]) -> int:
        words.extend(seen)
        return 0

    assert run(given.split(), invoke) == 0
    assert words == invoked.split()
