"""Runs the command line in this process, with an environment and a folder of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleet.cli.program import run
from tests.unit.model.fleets import document, write

GOLDEN = Path(__file__).parents[2] / "golden" / "cli"


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Fleet = Callable[..., Ran]


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Shorter than pytest's own, which leaves too few of the 107 bytes of a unix socket's path under xdist."""
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the caller's reaches a test; state and work folders are the test's own."""
    for name in (
        "FLEET_FILE",
        "FLEET_NAME",
        "FLEET_OUTPUT",
        "FLEET_DEBUG",
        "FLEET_RESULTS",
        "CI",
        "NO_COLOR",
        "COLUMNS",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FLEET_STATE_DIR", str(tmp_path / "state"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)


@pytest.fixture
def fleet(capsys: pytest.CaptureFixture[str]) -> Fleet:
    """Run `fleet` with these words."""

    def call(*words: str) -> Ran:
        capsys.readouterr()
        code = run(list(words))
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return call


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A fleet named demo in the state folder; the fleet file."""
    folder = tmp_path / "state" / "demo"
    return write(folder, document(folder))


def golden(name: str) -> str:
    """The text that the file of that name holds."""
    return (GOLDEN / name).read_text()
