"""Each importer on a small sample in its published format, worked by hand; and what each refuses."""

from __future__ import annotations

import gzip
import sqlite3
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fleet.cli.program import main
from fleet.errors import SpecError, UsageError
from fleet.model.trace import Pod
from fleet.trace.file import Trace, read
from fleet.trace.importers.importer import Machine
from fleet.trace.importers.registry import IMPORTERS

SAMPLES = Path(__file__).parent / "samples"
AUDIT, BATCH, GPU = "audit-metadata.jsonl", "batch_instance.csv", "openb_pod_list.csv"
GOOGLE = "google-instance-events.json"


def taken(kind: str, file: Path, machine: Machine | None = None) -> Trace:
    return IMPORTERS[kind].read(file, machine or Machine())


def told(pod: Pod) -> dict[str, Any]:
    """What a line says, without the namespace."""
    found = pod.model_dump(exclude_defaults=True, exclude={"ns"})
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in found.items()}


def test_audit_at_request_response_tells_all() -> None:
    made = taken("audit", SAMPLES / "audit-request-response.jsonl")
    assert [told(pod) for pod in made.pods] == [
        {
            "t": 1.00025, "key": "a/job-x1", "owner": {"kind": "Job", "name": "job"}, "node": "n7", "priority": 100,
            "requests": {"cpu": "1250m", "memory": "1088Mi"}, "wait": 1.0, "life": 7.5, "end": "failed", "exit": 7,
        }
    ]  # fmt: skip
    assert made.header.clock == "audit-us"
    assert made.header.complete
    assert made.header.untold == {}
    assert made.header.span == 9.95


def test_audit_at_metadata_marks_what_it_cannot_tell() -> None:
    made = taken("audit", SAMPLES / "audit-metadata.jsonl")
    assert [told(pod) for pod in made.pods] == [
        {"t": 1.0, "key": "a/web-1", "lasted": 7.0, "end": "deleted", "inexact": ["t", "lasted"]},
        {"t": 1.5, "key": "a/named", "lasted": 3.6, "end": "evicted"},
        {"t": 5.5, "key": "a/named#1", "end": "open"},
    ]
    assert not made.header.complete
    assert list(made.header.left_out.values()) == [1]  # the creation that names nobody
    assert set(made.header.untold) == {"life", "exit", "wait", "owner", "requests", "priority"}
    assert made.header.notes == ["an inexact t is the moment of the binding"]


def test_events_tell_serving_pods() -> None:
    made = taken("events", SAMPLES / "events.json")
    assert [told(pod) for pod in made.pods] == [
        {"t": 0.0, "key": "a/web-abc", "owner": {"kind": "ReplicaSet", "name": "web"}, "node": "n1", "wait": 3.0,
         "life": 26.0, "end": "deleted"},
        {"t": 4.0, "key": "a/bare", "node": "n2", "life": 10.0, "end": "evicted", "inexact": ["t"]},
    ]  # fmt: skip
    assert list(made.header.left_out.values()) == [1]  # of `late` only its end was seen
    assert not made.header.complete


def test_etcd_snapshot_by_a_real_etcd(tmp_path: Path) -> None:
    file = tmp_path / "snapshot.db"
    file.write_bytes(gzip.decompress((SAMPLES / "etcd-snapshot.db.gz").read_bytes()))
    made = taken("etcd", file)
    assert [told(pod) for pod in made.pods] == [
        {"t": 0.0, "key": "a/done", "owner": {"kind": "Job", "name": "j1"}, "requests": {"cpu": "250m"},
         "priority": 7, "node": "n1", "wait": 1.0, "life": 8.0, "end": "failed", "exit": 3},
        {"t": 2.0, "key": "a/web", "owner": {"kind": "ReplicaSet", "name": "rs"}, "requests": {"cpu": "100m"},
         "priority": 7, "node": "n1", "wait": 1.0, "life": 10.0, "end": "deleted"},
        {"t": 4.0, "key": "a/gone", "requests": {"cpu": "100m"}, "priority": 7, "end": "open"},
        {"t": 10.0, "key": "a/web#u4", "requests": {"memory": "64Mi"}, "node": "n2", "wait": 1.0, "end": "open"},
    ]  # fmt: skip
    assert any("1 pods that are gone" in note for note in made.header.notes)
    cut = tmp_path / "cut.db"
    cut.write_bytes(file.read_bytes()[:20000])
    with pytest.raises(SpecError, match="cut off"):
        taken("etcd", cut)
    cut.write_bytes(b"\0" * 20000)
    with pytest.raises(SpecError, match="is no bbolt file"):
        taken("etcd", cut)


TEMPLATE = {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "2"}}}]}}
OWNER = {"kind": "Job", "apiVersion": "batch/v1", "metadata": {"namespace": "a", "name": "j"},
         "spec": {"template": TEMPLATE}}  # fmt: skip
SIMKUBE: dict[int, dict[str, Any]] = {
    2: {
        "version": 2, "config": {}, "index": {},
        "events": [{"ts": 1000, "applied_objs": [OWNER], "deleted_objs": []}, {"ts": 1060, "applied_objs": []}],
        "pod_lifecycles": {("batch/v1.Job", "a/j"): {77: [{"Finished": [1005, 1025]}, {"Running": 1030}, "Empty"]}},
    },
    3: {
        "version": 3, "config": {},
        "events": [{"ts": 1000, "applied_objs": [OWNER], "deleted_objs": []}, {"ts": 1060, "applied_objs": []}],
        "index": {"batch/v1.Job": {"a/j": {1000: [{"lifecycle": {"Finished": [1005, 1025]}},
                                                  {"lifecycle": {"Running": 1030}}, {"lifecycle": "Empty"}]}}},
    },
}  # fmt: skip


@pytest.mark.parametrize("version", [2, 3])
def test_simkube(tmp_path: Path, version: int) -> None:
    file = tmp_path / "trace.msgpack"
    file.write_bytes(msgspec.msgpack.encode(SIMKUBE[version]))
    made = taken("simkube", file)
    owned = {"owner": {"kind": "Job", "name": "j"}, "requests": {"cpu": "2"}}
    assert [told(pod) for pod in made.pods] == [
        {"t": 5.0, "key": "a/j/0", **owned, "life": 20.0, "end": "deleted", "inexact": ["t"]},
        {"t": 30.0, "key": "a/j/1", **owned, "end": "open", "inexact": ["t"]},
    ]
    assert made.header.span == 60
    assert list(made.header.left_out.values()) == [1]
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(SpecError, match="is not msgpack, or is cut off"):
        taken("simkube", file)


def test_simkube_whose_time_runs_backwards(tmp_path: Path) -> None:
    file = tmp_path / "trace.msgpack"
    file.write_bytes(msgspec.msgpack.encode({**SIMKUBE[2], "events": [{"ts": 5}, {"ts": 4}]}))
    with pytest.raises(SpecError, match=r"events.1.ts: 4 lies before the event above \(5\)"):
        taken("simkube", file)


def test_google_2019() -> None:
    made = taken("google-2019", SAMPLES / "google-instance-events.json", Machine("64", "256Gi"))
    owned = {
        "owner": {"kind": "Job", "name": "12"},
        "priority": 200,
        "requests": {"cpu": "800m", "memory": "1374389535"},
    }
    found = {pod.key: told(pod) for pod in made.pods}
    assert found["12-0"] == {
        "t": 0.0, "key": "12-0", **owned, "node": "502", "wait": 1.5, "life": 10.0, "end": "succeeded",
    }  # fmt: skip
    assert found["12-1"] == {**found["12-1"], "t": 2.0, "wait": 1.0, "life": 4.0, "end": "evicted"}
    assert found["12-1#1"] == {**found["12-1#1"], "t": 7.000001, "life": 12.0, "end": "failed", "node": "503"}
    assert found["13-0"] == {**found["13-0"], "t": 5.0, "lasted": 4.0, "end": "deleted"}
    assert found["14-0"]["end"] == "open"
    assert found["11-0"] == {**found["11-0"], "t": 0.0, "before": True, "life": 30.0, "end": "deleted"}
    assert made.header.licence == "CC-BY-4.0"
    assert "Google" in made.header.attribution
    plain = taken("google-2019", SAMPLES / "google-instance-events.json")
    assert "requests" in plain.header.untold
    assert all(not pod.requests for pod in plain.pods)


def packing(file: Path, vms: list[tuple[Any, ...]]) -> Path:
    with sqlite3.connect(file) as made:
        made.execute("CREATE TABLE vmType (id INTEGER, vmTypeId INTEGER, machineId INTEGER, core REAL, memory REAL)")
        made.execute("CREATE TABLE vm (vmId, tenantId, vmTypeId, priority, starttime REAL, endtime REAL)")
        made.executemany("INSERT INTO vmType VALUES (?,?,?,?,?)", [(1, 5, 0, 0.25, 0.125), (2, 5, 3, 0.5, 0.25)])
        made.executemany("INSERT INTO vm VALUES (?,?,?,?,?,?)", vms)
    made.close()
    return file


def test_azure_packing(tmp_path: Path) -> None:
    file = packing(tmp_path / "p.sqlite", [(1, 9, 5, 1, -1.0, 0.5), (2, 9, 5, 0, 0.25, None), (3, 8, 5, 0, -2, -1)])
    made = taken("azure-packing", file, Machine("64", "256Gi"))
    asked = {"requests": {"cpu": "16", "memory": "32Gi"}, "owner": {"kind": "Tenant", "name": "9"}}
    assert [told(pod) for pod in made.pods] == [
        {"t": 0.0, "key": "vm-1", **asked, "priority": 1, "life": 43200.0, "end": "deleted", "before": True},
        {"t": 21600.0, "key": "vm-2", **asked, "priority": 0, "wait": 0.0, "end": "open"},
    ]
    assert made.header.left_out == {"they had ended before the trace begins": 1}
    assert made.header.licence == "CC-BY"
    with pytest.raises(SpecError, match=r"vm row 1: endtime: 0.5 lies before its start \(1.0\)"):
        taken("azure-packing", packing(tmp_path / "q.sqlite", [(1, 9, 5, 1, 1.0, 0.5)]))
    (tmp_path / "r.sqlite").write_bytes(file.read_bytes()[:5000])
    with pytest.raises(SpecError, match="cannot be read as the packing trace"):
        taken("azure-packing", tmp_path / "r.sqlite")


def test_alibaba_2018() -> None:
    made = taken("alibaba-2018", SAMPLES / "batch_instance.csv", Machine(memory="100Gi"))
    assert [told(pod) for pod in made.pods] == [
        {"t": 0.0, "key": "j_1/ins_1", "owner": {"kind": "Job", "name": "j_1"}, "node": "m_7", "life": 30.0,
         "requests": {"cpu": "1500m", "memory": "418759312"}, "end": "succeeded", "inexact": ["t"]},
        {"t": 5.0, "key": "j_1/ins_2", "owner": {"kind": "Job", "name": "j_1"}, "node": "m_8", "life": 1.0,
         "requests": {"cpu": "1500m", "memory": "418759312"}, "end": "failed", "inexact": ["t"]},
        {"t": 7.0, "key": "j_1/ins_2+", "owner": {"kind": "Job", "name": "j_1"}, "node": "m_9", "life": 10.0,
         "requests": {"cpu": "1500m", "memory": "418759312"}, "end": "succeeded", "inexact": ["t"]},
        {"t": 10.0, "key": "j_2/ins_3", "owner": {"kind": "Job", "name": "j_2"}, "node": "m_7",
         "requests": {"cpu": "500m", "memory": "512Mi"}, "end": "open", "inexact": ["t"]},
    ]  # fmt: skip
    assert list(made.header.left_out.values()) == [1]


def test_alibaba_gpu_2023() -> None:
    made = taken("alibaba-gpu-2023", SAMPLES / "openb_pod_list.csv")
    assert [told(pod) for pod in made.pods] == [
        {"t": 0.0, "key": "openb-pod-0001", "requests": {"cpu": "88000m", "memory": "327680Mi", "nvidia.com/gpu": "8"},
         "wait": 2.0, "life": 1332355.0, "end": "succeeded"},
        {"t": 241678.0, "key": "openb-pod-0002", "wait": 0.0, "life": 294651.0, "end": "deleted",
         "requests": {"cpu": "4000m", "memory": "15258Mi", "alibabacloud.com/gpu-milli": "220"}},
        {"t": 529561.0, "key": "openb-pod-0003", "requests": {"cpu": "16000m", "memory": "32768Mi"}, "end": "open"},
    ]  # fmt: skip


def changed(name: str, change: Callable[[str], str]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        file = folder / name
        file.write_text(change((SAMPLES / name).read_text()))
        return file

    return make


@pytest.mark.parametrize(
    ("kind", "make", "said"),
    [
        ("audit", changed(AUDIT, lambda t: t[:-40]), r"jsonl:9: is not JSON"),
        ("audit", changed(AUDIT, lambda t: t.replace("10:00:01.5", "x", 1)), r":2: stageTimestamp: "),
        ("audit", changed(AUDIT, lambda t: t.replace("audit.k8s.io", "x", 1)), r":1: kind: is no audit"),
        ("audit", changed("events.json", lambda t: t), r"events.json:1: is not JSON"),
        ("events", changed("events.json", lambda t: t.replace("involvedObject", "x", 1)), r"items.0.involvedObject"),
        ("events", changed("events.json", lambda t: t[:-30]), r"is not JSON"),
        ("google-2019", changed(GOOGLE, lambda t: t.replace('"0"', '"-3"', 1)), r":1: time: '-3'"),
        ("alibaba-2018", changed(BATCH, lambda t: t.replace(",130,", ",90,", 1)), r":1: end_time: 90 lies"),
        ("alibaba-2018", changed(BATCH, lambda t: t[:-20]), r":5: has 5 fields, not 14"),
        ("alibaba-gpu-2023", changed(GPU, lambda t: t.replace("9679175,", "nine,", 1)), r":3: creation_time"),
        ("alibaba-gpu-2023", changed(GPU, lambda t: t.replace("qos", "q", 1)), r":1: lacks the columns qos"),
        ("alibaba-gpu-2023", changed(GPU, lambda t: t.partition("\n")[0] + "\n"), r"no pod is found"),
    ],
)  # fmt: skip
def test_what_is_damaged_is_refused_with_its_place_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str,
    make: Callable[[Path], Path], said: str,
) -> None:  # fmt: skip
    file, out = make(tmp_path), tmp_path / "out.trace.jsonl"
    with pytest.raises((SpecError, UsageError), match=said):
        taken(kind, file)
    monkeypatch.setattr(sys, "argv", ["fleet", "trace", "import", kind, str(file), "-f", str(out)])
    assert main() == 2
    assert "error:" in capsys.readouterr().err
    assert not out.exists()


def test_a_compressed_file_is_read_and_a_cut_one_refused(tmp_path: Path) -> None:
    packed = gzip.compress((SAMPLES / "google-instance-events.json").read_bytes())
    file = tmp_path / "part.json.gz"
    file.write_bytes(packed)
    assert len(taken("google-2019", file).pods) == 6
    file.write_bytes(packed[:-20])
    with pytest.raises(SpecError, match="is cut off or damaged"):
        taken("google-2019", file)


def test_the_command_writes_a_trace_that_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.trace.jsonl"
    source = str(SAMPLES / "audit-request-response.jsonl")
    monkeypatch.setattr(sys, "argv", ["fleet", "trace", "import", "audit", source, "-f", str(out)])
    assert main() == 0
    assert read(out).pods == taken("audit", Path(source)).pods


def test_an_etcd_file_whose_pages_point_at_each_other_ends(tmp_path: Path) -> None:
    data = bytearray(gzip.decompress((SAMPLES / "etcd-snapshot.db.gz").read_bytes()))
    (size,) = struct.unpack_from("<I", data, 16 + 8)
    (root,) = struct.unpack_from("<Q", data, 16 + 16)
    for page in range(2, len(data) // size):  # every page becomes a branch with two children: the root
        struct.pack_into("<QHHI", data, page * size, page, 1, 2, 0)
        for n in range(2):
            struct.pack_into("<IIQ", data, page * size + 16 + n * 16, 0, 0, root)
    file = tmp_path / "loop.db"
    file.write_bytes(data)
    with pytest.raises(SpecError, match="is damaged"):
        taken("etcd", file)
