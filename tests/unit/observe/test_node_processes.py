"""Programs of kind nodes are found by the container in their control group; the tables are made by hand."""

from __future__ import annotations

from pathlib import Path

from fleet.host.pods import PodProgram
from fleet.observe.node_processes import node_containers, node_pids

ONE, TWO, OTHER = "1" * 64, "2" * 64, "3" * 64


def process(proc: Path, pid: int, group: str, command: str) -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    (folder / "cgroup").write_text(f"4:memory:{group}\n0::/\n")
    (folder / "cmdline").write_bytes(f"{command}\0--flag\0".encode())


def test_containers_of_a_fleet(tmp_path: Path) -> None:
    for name, text in (
        ("wec001", f"abc {ONE}\n"),
        ("wec002", f"abc {TWO}\n"),
        ("wec003", "abc None\n"),
        ("wec004", ""),
    ):
        (tmp_path / "clusters" / name).mkdir(parents=True)
        (tmp_path / "clusters" / name / "made").write_text(text)
    assert node_containers(tmp_path) == {ONE: "wec001", TWO: "wec002"}
    assert node_containers(tmp_path / "absent") == {}


def test_programs_by_component_and_cluster(tmp_path: Path) -> None:
    process(tmp_path, 7, f"/fleet-x/{ONE}/kubelet/kubepods/{OTHER}", "/usr/local/bin/kube-apiserver")
    process(tmp_path, 8, f"/system.slice/docker-{TWO}.scope/kubelet", "etcd")
    process(tmp_path, 9, f"/fleet-x/{ONE}/system.slice", "/lib/systemd/systemd-journald")
    process(tmp_path, 10, f"/docker/{OTHER}", "kube-apiserver")
    process(tmp_path, 11, "/", "etcd")
    found = node_pids({ONE: "wec001", TWO: "wec002"}, tmp_path, [11, 10, 9, 8, 7, 12])
    assert found == {"kube-apiserver.wec001": 7, "etcd.wec002": 8}
    assert node_pids({}, tmp_path, [7]) == {}


def test_pods_of_the_fleet_by_an_argument(tmp_path: Path) -> None:
    process(tmp_path, 7, f"/{ONE}/kubelet/kubepods/{OTHER}", "/hollow\0--config=/credentials/hollow-0.json")
    process(tmp_path, 8, f"/{ONE}/kubelet/kubepods/{OTHER}", "/hollow\0--config=/credentials/hollow-1.json")
    process(tmp_path, 9, f"/{ONE}/kubelet/kubepods/{OTHER}", "/hollow\0--config=/credentials/hollow-10.json")
    pods = [
        PodProgram(f"hollow-{n}.wec001", "hollow", "ns", "d", f"--config=/credentials/hollow-{n}.json") for n in (0, 1)
    ]
    found = node_pids({ONE: "wec001"}, tmp_path, [7, 8, 9], pods={"wec001": pods})
    assert found == {"hollow-0.wec001": 7, "hollow-1.wec001": 8}
