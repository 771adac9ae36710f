"""Run folders made by the simulator, complete with resources and metrics, for the tests of the reports."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from fleet.experiments.wec_scaling import WecScaling
from fleet.model.fleet_file import Cluster, Component, FleetFile, Machine
from fleet.results.events import Line, MetricSample, ProcessSample
from fleet.results.folder import RunFolder
from fleet.results.format1_manager import MANAGER
from fleet.results.run import ClockInfo, DriverFacts, MachineFacts, RunRecord, Status
from tests.unit.analysis.simulator import START_NS, START_WALL, Emitted, Simulator
from tests.unit.model.fleets import LIMITS, kubestellar

PROGRAMS = (
    # program, component, cluster, cores, MiB, fds
    ("kube-apiserver.its1", "kube-apiserver", "its1", 0.22, 410, 220),
    ("kube-apiserver.wds1", "kube-apiserver", "wds1", 0.08, 330, 140),
    ("etcd.its1", "etcd", "its1", 0.06, 90, 60),
    ("etcd.wds1", "etcd", "wds1", 0.03, 70, 50),
    ("controller-manager.wds1", "controller-manager", "wds1", 0.03, 60, 20),
    ("transport.wds1", "transport", "wds1", 0.05, 55, 18),
    ("dense.0", "dense", "", 0.4, 1900, 900),
    ("status-agent", "status-agent", "", 0.05, 80, 120),
    ("ocm-agent.wec001", "ocm-agent", "wec001", 0.01, 60, 22),
    ("ocm-agent.wec002", "ocm-agent", "wec002", 0.01, 61, 22),
)


def fleet_file(wecs: int, wdses: int = 1) -> FleetFile:
    """A fleet of that many dense WECs on one machine; KubeStellar rests for all WDSes but the first."""

    def cluster(name: str, role: str) -> Cluster:
        return Cluster.model_validate(
            {"name": name, "role": role, "machine": "local", "driver": "dense" if role == "wec" else "process",
             "server": "https://127.0.0.1:6443", "kubeconfig": f"$STATE/clusters/{name}/kubeconfig"}
        )  # fmt: skip

    names = [f"wec{number:03d}" for number in range(1, wecs + 1)]
    return FleetFile(
        name="fleet",
        created="2026-11-22T17:00:00Z",
        inventory="inventories/localhost",
        inventory_sha256="ab" * 32,
        toolchain_digest="cd" * 32,
        versions={"kubernetes": "v1.34.4", "kubestellar": "v0.30.0", "ocm": "v1.2.0", "etcd": "v3.5.21"},
        manager=kubestellar(tuple(f"wds{number}" for number in range(1, wdses + 1)), served=["wds1"]),
        limits=dict(LIMITS),
        machines=[Machine(name="local", state_dir="$STATE")],
        clusters=[
            cluster("its1", "its"),
            *(cluster(f"wds{number}", "wds") for number in range(1, wdses + 1)),
            *(cluster(name, "wec") for name in names),
        ],
        components=[
            Component(program=program, component=component, machine="local", cluster=where, version="v1",
                      argv=[component, "--flag=1"])
            for program, component, where, *_ in PROGRAMS
        ],
    )  # fmt: skip


def run_record(identity: str, wecs: int, *, status: Status = "valid", **changes: object) -> RunRecord:
    """A run.json that says that all went well, unless stated otherwise."""
    record = RunRecord(
        id=identity,
        experiment="wec-scaling",
        started="2026-11-22T18:00:00Z",
        ended="2026-11-22T18:30:00Z",
        status=status,
        spec=WecScaling(experiment="wec-scaling"),
        fleet=fleet_file(wecs),
        manager=MANAGER,
        inventory_sha256="ab" * 32,
        version="0.1.0",
        git="0123456789ab",
        machine=MachineFacts(cpu_model="Example CPU", cores=2, memory_bytes=24 << 30, kernel="6.1.0", python="3.11.7",
                             nofile_soft=20000, nofile_hard=20000, inotify_instances=512,
                             pressure={"cpu": 12.5, "io": 0.3}),
        clock=ClockInfo(implementation="clock_gettime(CLOCK_MONOTONIC)", resolution_ns=1),
        driver=DriverFacts(loop_lag_p99=0.0012, loop_lag_max=0.014, watches=70, events=12345),
    )  # fmt: skip
    return record.with_(**changes)


def simulated(counts: Sequence[int], *, repeats: int = 3, kind: str = "deployment", objects: int = 1) -> Emitted:
    """Both layouts over those WEC counts, with a warm-up each."""
    sim = Simulator(seed=5, kind=kind)
    for count in counts:
        wecs = [f"wec{number:03d}" for number in range(1, count + 1)]
        for layout in ("one-to-one", "one-to-many"):
            for repeat in range(-1, repeats):
                sim.trial(layout, wecs, objects=objects, repeat=repeat)
    return sim.out


def weighed(lines: Sequence[Line]) -> list[Line]:
    """Process and metric samples every 5 s alongside those lines."""
    rng = random.Random(7)  # noqa: S311 - the same run each time
    extra: list[Line] = []
    end = max(line.ns for line in lines)
    cpu = dict.fromkeys((program for program, *_ in PROGRAMS), 0.0)
    counters = {"GET": 0.0, "POST": 0.0, "PUT": 0.0, "waited": 0.0}
    for at in range(START_NS, end, 5_000_000_000):
        stamps = {"ns": at, "wall": START_WALL + at - START_NS}
        for pid, (program, component, cluster, cores, memory, fds) in enumerate(PROGRAMS, start=1000):
            cpu[program] += cores * 5 * rng.uniform(0.5, 1.8)
            extra.append(
                ProcessSample(**stamps, machine="local", program=program, component=component, cluster=cluster, pid=pid,
                              cpu_seconds=cpu[program], rss=int(memory * rng.uniform(0.95, 1.1)) << 20, fds=fds,
                              threads=12)
            )  # fmt: skip
        for verb in ("GET", "POST", "PUT"):
            counters[verb] += rng.randrange(40)
            extra.append(MetricSample(**stamps, component="kube-apiserver", cluster="its1", value=counters[verb],
                                      name="apiserver_request_total", labels=f"code=200,verb={verb}"))  # fmt: skip
        counters["waited"] += rng.uniform(0, 4)
        extra.append(MetricSample(**stamps, component="transport", cluster="wds1", value=counters["waited"],
                                  name="rest_client_rate_limiter_duration_seconds_sum", labels="verb=GET"))  # fmt: skip
    return sorted([*lines, *extra], key=lambda line: line.ns)


def write_run(root: Path, lines: Sequence[Line], record: RunRecord | None = None, *, wecs: int = 20) -> RunFolder:
    """A run folder with those events."""
    folder = RunFolder.create(root, "wec-scaling", datetime(2026, 11, 22, 18, tzinfo=UTC))
    with folder.event_log() as log:
        for line in lines:
            log.append(line)
    folder.write_run(record or run_record(folder.id, wecs))
    return folder
