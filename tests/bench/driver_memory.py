"""What the process of `fleet experiment run` holds at a million samples: while it records, when it judges, and while it
makes the reports.

Lines of a simulated KubeStellar over 100 WECs come through a pipe from a process of their own. They are recorded as an
experiment's are, then the run is judged and its folder analysed and reported, all in one process, as the command does.
Its peak in each phase is VmHWM, which counts what the interpreter and the imports take too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from fleet.model.run_names import RunNames
from fleet.results.events import RunMark, decode, encode
from fleet.results.folder import RunFolder
from tests.bench.ratios import Ratio, paired
from tests.unit.analysis.simulator import Simulator
from tests.unit.report.made import run_record

SAMPLES, WECS, OBJECTS = 1_000_000, 100, 10
LIMIT_MIB = 300
SECONDS = 6 * 3600
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_PER_OBJECT = 6 * WECS + 6
"""Samples of one Deployment in one-to-many."""


@dataclass(frozen=True)
class Phase:
    """Part of the process's life; MiB of resident memory."""

    name: str
    peak: float
    end: float
    seconds: float


def simulate(samples: int) -> None:
    """To stdout: whole trials of `OBJECTS` objects, each cleaned up behind itself, until there are so many samples."""
    simulator = Simulator()
    wecs = [f"wec{number:03d}" for number in range(1, WECS + 1)]
    for number in range(-(-samples // (OBJECTS * _PER_OBJECT))):
        trial = simulator.trial("one-to-many", wecs, objects=OBJECTS, repeat=number)
        ends = RunMark(ns=simulator.now, wall=simulator.now, step="drain", edge="end", trial=trial)
        simulator.clean(trial)
        lines = sorted([*simulator.out.ordered(), ends], key=lambda line: line.ns)
        sys.stdout.buffer.writelines(encode(line) for line in lines)
        simulator.out.lines.clear()
        simulator.out.truth.clear()


def drive(samples: int, results: Path) -> Iterator[Phase]:
    """A run of so many samples from its first line to its report. Call it in a process of its own."""
    import fleet.cli.experiment_run  # noqa: F401, PLC0415 - what the command has loaded when a run begins
    from fleet.analysis.join import Join  # noqa: PLC0415
    from fleet.analysis.quality import judge  # noqa: PLC0415
    from fleet.analysis.recorded import Recorded  # noqa: PLC0415
    from fleet.managers import registry  # noqa: PLC0415
    from fleet.observe.recorder import Recorder  # noqa: PLC0415
    from fleet.observe.tracker import Tracker  # noqa: PLC0415

    folder = RunFolder.create(results, "wec-scaling", datetime.now(UTC))
    record = run_record(folder.id, WECS)
    registry.of(record.fleet)
    folder.write_run(record)
    begun = time.monotonic()
    yield _phase("start", begun)

    recorded = Recorded(Join(record.manager, source="wds1", object_timeout=600, versions=False))
    names = RunNames("x", "")
    log = folder.event_log()
    recorder = Recorder(log, recorded.add, Tracker(names=names, sources=["wds1"]))
    command = [sys.executable, "-m", "tests.bench.driver_memory", "--simulate", str(samples)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as simulator:
        assert simulator.stdout is not None
        for line in simulator.stdout:
            recorder.record(decode(line))
    log.close()
    yield _phase("record", begun)

    verdict = judge(record, recorded, recorded.join.samples())
    if verdict.status != "valid":
        raise ValueError(f"the simulated run is {verdict.status}: {verdict.reasons}")
    yield _phase("judge", begun)

    del recorder, recorded
    from fleet.cli.reporting import make  # noqa: PLC0415

    study = make(folder)
    if len(study.samples) < samples or study.verdict.status != "valid":
        raise ValueError(f"{len(study.samples)} samples, {study.verdict}")
    yield _phase("report", begun)


def _phase(name: str, begun: float) -> Phase:
    """What ends now; the next one's peak counts from here."""
    held = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    peak, end = (int(held[key].split()[0]) / 1024 for key in ("VmHWM", "VmRSS"))
    _RESET.write_text("5")
    return Phase(name, peak, end, time.monotonic() - begun)


def phases(samples: int, tree: Path | None = None) -> list[Phase]:
    """Measured in a process of its own; `tree`: a checkout whose `fleet` is measured instead of this one."""
    with tempfile.TemporaryDirectory() as results:
        command = [sys.executable, "-m", "tests.bench.driver_memory", "--drive", str(samples), "--results", results]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=SECONDS, cwd=tree)
    return [Phase(**json.loads(line)) for line in done.stdout.splitlines()]


def ratios(samples: int = SAMPLES) -> list[Ratio]:
    """The peak of each phase over the limit. A count, so one repeat suffices."""
    goal = f"<= {LIMIT_MIB} MiB"
    what = f"driver at {samples} samples"
    return [paired(f"{what}: {one.name}", "MiB", [one.peak], [LIMIT_MIB], goal) for one in phases(samples)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.driver_memory", description=__doc__)
    parser.add_argument("--simulate", type=int)
    parser.add_argument("--drive", type=int)
    parser.add_argument("--results", type=Path)
    arguments = parser.parse_args()
    if arguments.simulate:
        simulate(arguments.simulate)
    else:
        for phase in drive(arguments.drive, arguments.results):
            print(json.dumps(asdict(phase)), flush=True)
