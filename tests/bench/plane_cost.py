"""What one dense control plane costs: a slope over several counts, with sharing and without, made in turn.

    python -m tests.bench.plane_cost --counts 2,6,12 --repeats 1

A slope leaves out what a process costs before its first control plane. The interval is that of the least-squares slope
over all counts and repeats (Student's t, 95 %); one repeat of three counts leaves one degree of freedom: it is wide.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import psutil
from scipy import stats

from fleet.host.https import UnixConnection, exchange
from fleet.host.machine import Machine, Options, at_once
from fleet.host.plan import ControlPlane
from fleet.host.process_stats import ProcessWeight, weigh
from fleet.install.control_planes import converge, teardown
from fleet.toolchain import Toolchain, locate

REPO = Path(__file__).resolve().parents[2]
MIB = 2**20
ADMIN_SECONDS = 120.0


@dataclass(frozen=True)
class Sample:
    """One dense process and its etcd with so many control planes, at rest. Memory in MiB, CPU in % of a core."""

    planes: int
    heap: float
    """Live after a collection."""
    stacks: float
    goroutines: float
    anonymous: float
    pss: float
    etcd_pss: float
    idle_cpu: float
    start_cpu: float
    """CPU seconds of the process until all were ready."""
    start_wall: float
    """Seconds until all were ready."""


def sample(machine: Machine, count: int, calm: float, window: float, profiles: Path | None = None) -> Sample:
    """Bring up `count`, wait `calm` seconds, measure them over `window` seconds, take them away.

    Into the folder `profiles` go the heap's profile and the goroutines' stacks.
    """
    began = time.monotonic()
    try:
        converge(machine, [ControlPlane(f"wec{n:03}", "wec", "dense") for n in range(1, count + 1)], hub=False)
        wall = time.monotonic() - began
        started = _weights(machine)["dense.0"].cpu_seconds
        time.sleep(calm)
        before, moment = _weights(machine), time.monotonic()
        time.sleep(window)
        after = _weights(machine)
        passed = time.monotonic() - moment
        socket = machine.layout.run / "dense-0.sock"
        heap = page(socket, "/debug/pprof/heap?gc=1&debug=1")
        goroutines = page(socket, "/debug/pprof/goroutine?debug=1")
        if profiles:
            named = profiles / f"{'shared' if machine.options.sharing else 'unshared'}-{count}"
            named.with_suffix(".heap.pb.gz").write_bytes(page(socket, "/debug/pprof/heap"))
            named.with_suffix(".goroutines.txt").write_bytes(goroutines)
    finally:
        teardown(machine)
    dense, etcd = after["dense.0"], after["etcd.dense-0"]
    return Sample(
        count,
        _number(r"# HeapAlloc = (\d+)", heap) / MIB,
        _number(r"# Stack = (\d+)", heap) / MIB,
        _number(r"total (\d+)", goroutines),
        dense.anonymous / MIB,
        dense.pss / MIB,
        etcd.pss / MIB,
        100 * (dense.cpu_seconds - before["dense.0"].cpu_seconds) / passed,
        started,
        wall,
    )


def _weights(machine: Machine) -> dict[str, ProcessWeight]:
    return {weight.program: weight for weight in weigh(machine.root)}


def page(socket: Path, path: str) -> bytes:
    """A page of a dense process."""
    return exchange(UnixConnection(socket, ADMIN_SECONDS), "GET", path).body


def _number(pattern: str, page: bytes) -> float:
    found = re.search(pattern, page.decode(errors="replace"))
    if found is None:
        raise ValueError(f"no {pattern!r} in the profile")
    return float(found[1])


def slope(samples: Sequence[Sample], name: str) -> tuple[float, float, float]:
    """Per control plane of the field `name`: least-squares slope, half of its 95 % interval, and what is fixed."""
    fit = stats.linregress([s.planes for s in samples], [getattr(s, name) for s in samples])
    freedom = len(samples) - 2
    half = float(stats.t.ppf(0.975, freedom) * fit.stderr) if freedom > 0 else float("nan")
    return float(fit.slope), half, float(fit.intercept)


def table(title: str, samples: Sequence[Sample]) -> str:
    """All slopes, a line each."""
    lines = [f"{title}: n={len(samples)}, planes {sorted({s.planes for s in samples})}"]
    for field in fields(Sample)[1:]:
        per, half, fixed = slope(samples, field.name)
        lines.append(f"  {field.name:<12} {per:>9.2f} +-{half:<8.2f} per plane, {fixed:>9.1f} fixed")
    return "\n".join(lines)


def machine(folder: Path, toolchain: Toolchain, *, sharing: bool) -> Machine:
    """A machine without nodes, whose dense control planes share or do not."""
    cores = psutil.cpu_count() or 1
    options = Options(wec_nodes=0, simulator="none", cores=cores, parallelism=at_once(cores), sharing=sharing)
    return Machine("cost", folder / "cost", toolchain, options)


def main() -> int:
    """Print every sample as it is taken, then both tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.plane_cost", description=__doc__)
    parser.add_argument("--counts", default="2,6,12")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--calm", type=float, default=30.0)
    parser.add_argument("--window", type=float, default=30.0)
    parser.add_argument("--profiles", type=Path, help="a folder for profiles of heap and goroutines")
    parser.add_argument("--only", choices=["shared", "unshared"])
    given = parser.parse_args()
    toolchain = locate(REPO / "toolchain")
    found: dict[str, list[Sample]] = {}
    for _ in range(given.repeats):
        for count in (int(word) for word in given.counts.split(",")):
            for name in ("shared", "unshared") if given.only is None else (given.only,):
                with tempfile.TemporaryDirectory(prefix="fleet-cost-") as folder:
                    made = machine(Path(folder), toolchain, sharing=name == "shared")
                    taken = sample(made, count, given.calm, given.window, given.profiles)
                print(name, taken, flush=True)
                found.setdefault(name, []).append(taken)
    for name, samples in found.items():
        print(table(name, samples))
    return 0


if __name__ == "__main__":
    sys.exit(main())
