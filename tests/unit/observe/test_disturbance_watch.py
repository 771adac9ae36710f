"""What could disturb a run is seen by its traces: real processes, this host's clocks, real certificates, a Lease."""

from __future__ import annotations

import datetime
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from fleet.host.authority import Authority, Subject
from fleet.host.kubeconfig import write_kubeconfig
from fleet.kube.resources import LEASES
from fleet.model.fleet_file import Cluster, Component, FleetFile, Machine
from fleet.observe.certificates import Certificates
from fleet.observe.leaders import Leaders, electing
from fleet.observe.machine_watch import machine_state
from fleet.observe.program_changes import ProgramChanges, dense_instances
from fleet.results.events import ProcessSample
from fleet.testing.api_server.server import FakeApiServer

Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts processes that do nothing, and ends them."""
    made: list[subprocess.Popen[bytes]] = []

    def one() -> subprocess.Popen[bytes]:
        made.append(subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]))
        return made[-1]

    yield one
    for process in made:
        process.kill()
        process.wait(10)


def seen(**pids: int) -> list[ProcessSample]:
    """A round of samples: program to process id, `_` for the dot in its name."""
    return [
        ProcessSample(ns=1, wall=1, machine="m", program=name.replace("_", ".", 1), component=name.split("_")[0],
                      cluster=name.partition("_")[2], pid=pid, cpu_seconds=0.0, rss=1)
        for name, pid in pids.items()
    ]  # fmt: skip


def test_a_kill_and_a_restart_between_two_looks_are_seen(start: Start) -> None:
    watch, first, other = ProgramChanges(), start(), start()
    assert watch.look(seen(etcd_its1=first.pid, transport_wds1=other.pid)) == []
    assert watch.look(seen(etcd_its1=first.pid, transport_wds1=other.pid)) == []
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    began = time.monotonic_ns()
    again = start()
    (line,) = watch.look(seen(etcd_its1=again.pid, transport_wds1=other.pid))
    assert (line.program, line.component, line.cluster) == ("etcd.its1", "etcd", "its1")
    assert (line.old_pid, line.new_pid) == (first.pid, again.pid)
    tick = 20_000_000  # the kernel counts starts in hundredths of a second
    assert began - tick <= line.changed_ns <= line.ns + tick
    assert line.unseen_seconds > 0


def test_one_that_is_gone_and_comes_back_is_told_twice(start: Start) -> None:
    watch, program, other = ProgramChanges(), start(), start()
    watch.look(seen(etcd_its1=program.pid, transport_wds1=other.pid))
    (gone,) = watch.look(seen(transport_wds1=other.pid))
    assert (gone.program, gone.old_pid, gone.new_pid, gone.age_seconds) == ("etcd.its1", program.pid, 0, 0.0)
    assert watch.look(seen(transport_wds1=other.pid)) == []
    (back,) = watch.look(seen(etcd_its1=program.pid, transport_wds1=other.pid))
    assert (back.old_pid, back.new_pid) == (0, program.pid)


def test_a_reused_pid_is_another_process(start: Start, tmp_path: Path) -> None:
    process = start()
    stat = Path(f"/proc/{process.pid}/stat").read_text()
    head, _, tail = stat.rpartition(")")
    fields = tail.split()

    def written(start_ticks: int) -> None:
        folder = tmp_path / str(process.pid)
        folder.mkdir(exist_ok=True)
        changed = [*fields[:19], str(start_ticks), *fields[20:]]
        (folder / "stat").write_text(f"{head}) {' '.join(changed)}")

    watch = ProgramChanges(proc=tmp_path)
    written(1000)
    watch.look(seen(etcd_its1=process.pid))
    written(2000)
    (line,) = watch.look(seen(etcd_its1=process.pid))
    assert line.old_pid == line.new_pid == process.pid


def test_a_supervisor_that_does_not_answer_is_no_program_that_ended(start: Start) -> None:
    watch, program = ProgramChanges(), start()
    watch.look(seen(etcd_its1=program.pid))
    assert watch.look([]) == []
    assert watch.look(seen(etcd_its1=program.pid)) == []


def test_control_planes_of_a_shared_process_are_looked_at_one_by_one(start: Start) -> None:
    process, planes = start(), {"wec001": True, "wec002": True}
    watch = ProgramChanges({"m": lambda: {"dense.0": planes}})
    watch.look(seen(dense_0=process.pid))
    planes["wec002"] = False
    (gone,) = watch.look(seen(dense_0=process.pid))
    assert (gone.program, gone.cluster, gone.component, gone.new_pid) == (
        "dense.0/wec002",
        "wec002",
        "control plane",
        0,
    )
    planes["wec002"] = True
    (back,) = watch.look(seen(dense_0=process.pid))
    assert (back.old_pid, back.new_pid) == (0, process.pid)


def test_a_shared_process_that_is_another_is_one_change(start: Start) -> None:
    old, new = start(), start()
    planes = {"wec001": True, "wec002": True}
    watch = ProgramChanges({"m": lambda: {"dense.0": planes}})
    watch.look(seen(dense_0=old.pid))
    planes |= {"wec001": False}
    assert [line.program for line in watch.look(seen(dense_0=new.pid))] == ["dense.0"]


def test_a_shared_process_that_does_not_answer_is_no_control_plane_that_ended(start: Start) -> None:
    answers: list[Mapping[str, Mapping[str, bool]]] = [
        {"dense.0": {"wec001": True}},
        {},
        {"dense.0": {"wec001": False}},
    ]
    watch, process = ProgramChanges({"m": lambda: answers.pop(0)}), start()
    first, silent, down = [watch.look(seen(dense_0=process.pid)) for _ in range(3)]
    assert (first, silent) == ([], [])
    assert [(change.program, change.old_pid) for change in down] == [("dense.0/wec001", process.pid)]


def test_without_dense_processes_nobody_is_asked(tmp_path: Path) -> None:
    (tmp_path / "dense-0.sock").write_text("no socket")
    assert dense_instances(tmp_path)() == {}


def fleet(folder: Path, *, driver: str = "process", argv: tuple[str, ...] = (), kubeconfig: str = "") -> FleetFile:
    its = {"name": "its1", "role": "its", "machine": "m", "driver": driver, "server": "https://127.0.0.1:1",
           "kubeconfig": kubeconfig or str(folder / "none")}  # fmt: skip
    return FleetFile(
        name="f",
        created="2026-01-01T00:00:00Z",
        toolchain_digest="x",
        machines=[Machine(name="m", state_dir=str(folder))],
        clusters=[Cluster.model_validate(its)],
        components=[Component(program="p.its1", component="p", machine="m", cluster="its1", argv=list(argv))],
    )


def test_this_host_s_clocks_agree_with_themselves(tmp_path: Path) -> None:
    first, second = machine_state(fleet(tmp_path)), machine_state(fleet(tmp_path))
    slack = first.error_ns + second.error_ns
    assert abs(second.asleep_ns - first.asleep_ns) <= slack
    assert first.machines == ["m"]
    assert abs((first.wall - first.ns) - first.wall_ahead_ns) < 1_000_000_000


def test_counters_are_read_as_the_kernel_writes_them(tmp_path: Path) -> None:
    (tmp_path / "pressure").mkdir()
    (tmp_path / "vmstat").write_text("nr_free_pages 5\npswpin 30\npswpout 12\noom_kill 2\n")
    some = "some avg10=0.00 avg60=0.00 avg300=0.00 total=900\n"
    (tmp_path / "pressure" / "memory").write_text(f"{some}full avg10=0.00 avg60=0.00 avg300=0.00 total=777\n")
    found = machine_state(fleet(tmp_path), tmp_path)
    assert (found.pages_swapped, found.oom_kills, found.memory_stalled_us) == (42, 2, 777)
    bare = machine_state(fleet(tmp_path), tmp_path / "none")
    assert (bare.pages_swapped, bare.oom_kills, bare.memory_stalled_us) == (0, 0, 0)


def test_certificates_that_are_valid_are_nothing_to_tell(tmp_path: Path) -> None:
    authority = Authority.ensure(tmp_path / "pki", "ca")
    authority.client(tmp_path / "clusters" / "its1" / "pki", "admin", "fleet-admin")
    assert Certificates(fleet(tmp_path)).look() == []


def test_a_certificate_that_ran_out_is_told_once_and_a_renewed_one_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority.ensure(tmp_path / "pki", "ca", days=900)
    pair = authority.issue(tmp_path / "hub" / "pki", "short", Subject("short", (), days=1))
    inside = tmp_path / "kubeconfig"
    write_kubeconfig(inside, "https://127.0.0.1:1", authority.cert_file, pair.cert, pair.key, "x")
    watch = Certificates(fleet(tmp_path, kubeconfig=str(inside)))
    tomorrow = time.time() + datetime.timedelta(days=2).total_seconds()
    monkeypatch.setattr(time, "time", lambda: tomorrow)
    told = watch.look()
    assert [line.file for line in told] == ["hub/pki/short.crt", "kubeconfig of its1"]
    assert {line.subject for line in told} == {"CN=short"}
    assert all(line.ended_wall < tomorrow * 1e9 for line in told)
    assert watch.look() == []
    fresh = Certificates(fleet(tmp_path, kubeconfig=str(tmp_path / "gone")))
    pair.cert.write_bytes(authority.cert_file.read_bytes())
    assert fresh.look() == [], "another certificate stands in its file by now"


def lease(holder: str, version: str = "") -> dict[str, object]:
    metadata = {"name": "registration", "namespace": "ocm", **({"resourceVersion": version} if version else {})}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata,
            "spec": {"holderIdentity": holder}}  # fmt: skip


async def test_a_lease_that_passes_to_another_holder_is_told() -> None:
    async with FakeApiServer("its1") as server, server.client(retry_seconds=0) as client:
        server.store.create(LEASES, lease("a"), "ocm")
        leaders = Leaders([client])
        assert await leaders.look() == []
        assert await leaders.look() == []
        stored = server.store.get(LEASES, "registration", "ocm")
        await client.replace(LEASES, lease("b", str(stored["metadata"]["resourceVersion"])), "ocm")
        (line,) = await leaders.look()
        assert (line.cluster, line.lease, line.old, line.new) == ("its1", "ocm/registration", "a", "b")
        assert await leaders.look() == []


async def test_a_control_plane_that_does_not_answer_has_no_new_leader() -> None:
    async with FakeApiServer("its1") as server, server.client(retry_seconds=0) as client:
        server.store.create(LEASES, lease("a"), "ocm")
        leaders = Leaders([client])
        await leaders.look()
        server.fail.status_403 = 1
        assert await leaders.look() == []
        assert await leaders.look() == []


@pytest.mark.parametrize(
    ("driver", "argv", "chosen"),
    [("process", (), set()), ("process", ("--leader-elect=false",), set()),
     ("process", ("--leader-elect",), {"its1"}), ("kind", (), set())],
)  # fmt: skip
def test_leases_are_looked_at_only_where_somebody_elects(
    tmp_path: Path, driver: str, argv: tuple[str, ...], chosen: set[str]
) -> None:
    assert electing(fleet(tmp_path, driver=driver, argv=argv)) == chosen
