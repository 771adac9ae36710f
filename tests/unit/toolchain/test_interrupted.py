"""Builders that are killed, two at once, or without a network: the real Go and a tiny module of our own."""

import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fleet.errors import ToolchainError
from fleet.toolchain import BuildProgress, Toolchain, ToolchainMissing, ensure, locate
from tests.unit.toolchain.test_build import source

__all__ = ["source"]
pytestmark = pytest.mark.skipif(shutil.which("go") is None, reason="the wheel of Go is not installed for a unit test")

STOPS_IN_THE_BUILD = """\
import sys
from pathlib import Path
from fleet.toolchain import ensure

def report(step):
    if step.group == "tiny" and not seen:
        seen.append(step)
        print("building", flush=True)
        sys.stdin.readline()

seen = []
ensure(Path(sys.argv[1]), Path(sys.argv[2]), report)
"""


def builder(source: Path, cache: Path) -> "subprocess.Popen[str]":
    """A process that holds the lock and stands still in the midst of its build until a line comes."""
    process = subprocess.Popen(
        [sys.executable, "-c", STOPS_IN_THE_BUILD, str(source), str(cache)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "building\n"
    return process


def test_a_killed_builder_leaves_nothing_whole_and_the_next_recovers(source: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with builder(source, cache) as process:
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert [path.name[:9] for path in (cache / "toolchain").iterdir() if path.is_dir()] == [".partial-"]
    with pytest.raises(ToolchainMissing):
        locate(source, cache)
    made = ensure(source, cache, lambda _: None)
    assert made == locate(source, cache)
    assert [path for path in (cache / "toolchain").iterdir() if path.is_dir()] == [made.parts[0].root]


def test_of_two_builders_one_waits_and_takes_what_the_other_made(source: Path, tmp_path: Path) -> None:
    cache, steps, made = tmp_path / "cache", list[BuildProgress](), list[Toolchain]()
    with builder(source, cache) as first:
        second = threading.Thread(target=lambda: made.append(ensure(source, cache, steps.append)))
        second.start()
        assert first.stdin is not None
        assert made == []
        first.stdin.write("\n")
        first.stdin.close()
        second.join()
    assert first.returncode == 0
    assert steps == []
    assert made == [locate(source, cache)]


def test_offline_what_is_built_is_used_and_what_is_missing_is_named(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ensure(source, tmp_path / "cache", lambda _: None)
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    assert ensure(source, tmp_path / "cache", lambda _: None) == made

    module = source / "tiny"
    (module / "go.mod").write_text("module tiny.example\n\ngo 1.25.0\n\nrequire absent.example/x v1.0.0\n")
    (module / "go.sum").write_text(
        f"absent.example/x v1.0.0 h1:{'A' * 43}=\nabsent.example/x v1.0.0/go.mod h1:{'A' * 43}=\n"
    )
    (module / "cmd" / "one" / "main.go").write_text('package main\n\nimport _ "absent.example/x"\n\nfunc main() {}\n')
    with pytest.raises(ToolchainError, match=r"absent\.example/x@v1\.0\.0 is not to be had from the module proxy"):
        ensure(source, tmp_path / "cache", lambda _: None)
    assert [path for path in (tmp_path / "cache" / "toolchain").iterdir() if path.is_dir()] == [made.parts[0].root]
