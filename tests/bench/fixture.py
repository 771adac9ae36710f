"""Control planes for tests: the fixture's alongside envtest's, an etcd and an API server each, in turn, in one run."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from fleet.fixture.planes import Fixture
from fleet.host.process_stats import weigh_pids
from fleet.host.supervise import Supervisor
from fleet.model.checkout import checkout
from fleet.toolchain import golang, locate
from tests.bench.ratios import Ratio, paired

ENVTEST = Path(__file__).parent / "envtest"
STOP_SECONDS = 120.0
CALM_SECONDS = 5.0
"""After the last is ready, before they are measured: tests begin at once."""
MIB = 2**20


@dataclass(frozen=True)
class Round:
    """What all control planes of one side took: seconds until ready, bytes, and seconds for a clean namespace."""

    seconds: float
    pss: float
    namespace: float


def run(count: int, repeats: int) -> list[Ratio]:
    """The rows of the table."""
    ours, theirs = list[Round](), list[Round]()
    with tempfile.TemporaryDirectory(prefix="fleet-bench-") as folder:
        program = build(Path(folder) / "envtest")
        for number in range(repeats):
            ours.append(fixture(Path(folder) / str(number), count))
            theirs.append(envtest(program, count))
    what = f"{count} control planes for tests"
    gib = f"{what}: PSS"
    return [
        paired(f"{what}: until ready", "s", [r.seconds for r in ours], [r.seconds for r in theirs], "ours <= 8 s"),
        paired(gib, "MiB", [r.pss / MIB for r in ours], [r.pss / MIB for r in theirs], "ours <= 922 MiB"),
        paired("clean namespace in all/1 s", "s", [r.namespace for r in ours], [1.0] * repeats, "<= 1"),
    ]


def build(program: Path) -> Path:
    """The reference, compiled; it is not timed."""
    go = golang.find(Path(), "").program
    if go is None:
        raise RuntimeError("envtest is Go: no Go of 1.25 or newer is in PATH")
    environment = {**os.environ, "GOWORK": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"}
    subprocess.run([str(go), "build", "-o", str(program), "."], cwd=ENVTEST, env=environment, check=True, timeout=900)
    return program


def fixture(state: Path, count: int) -> Round:
    """As the pytest plugin and the Go package start them, the check of the programs included."""
    with Fixture("bench", root=state) as made:
        began = time.monotonic()
        wecs = made.start(count)
        seconds = time.monotonic() - began
        began = time.monotonic()
        made.forget(wecs, made.namespace(wecs))
        namespace = time.monotonic() - began
        supervisor = Supervisor(state / "bench")
        pids = [one.pid for one in supervisor.states() if one.pid] + [one.pid for one in supervisor.daemon.processes()]
        return Round(seconds, _weight(pids), namespace)


def envtest(program: Path, count: int) -> Round:
    """As `Environment.Start` of controller-runtime makes them, all at once, with the same programs."""
    (part,) = (part for part in locate(checkout() / "toolchain").parts if "etcd" in part.programs)
    began = time.monotonic()
    with _started([str(program), str(count)], {"KUBEBUILDER_ASSETS": str(part.bin)}) as process:
        if process.stdout is None or process.stdout.readline() != b"ready\n":
            raise RuntimeError("envtest did not become ready")
        seconds = time.monotonic() - began
        return Round(seconds, _weight([one.pid for one in psutil.Process(process.pid).children(recursive=True)]), 0.0)


@contextmanager
def _started(command: Sequence[str], more: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        command, env={**os.environ, **more}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait(STOP_SECONDS)


def _weight(pids: Sequence[int]) -> float:
    """PSS of the programs together, at calm."""
    time.sleep(CALM_SECONDS)
    return float(sum(weight.pss for weight in weigh_pids(("fixture", pid) for pid in pids)))
