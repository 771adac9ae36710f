"""A lab is planned in the right order, converges, refuses what cannot work, and leaves nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleet.errors import HostError, UsageError
from fleet.lab import control, furnish, plan
from fleet.lab.cgroups import create, hierarchies, remove, usage
from fleet.lab.control import Host
from fleet.lab.init import furnish as furnish_machine
from fleet.lab.requirements import require
from fleet.lab.spec import lab
from fleet.lab.system import FakeSystem
from tests.unit.golden import check_golden


def host(tmp_path: Path, system: FakeSystem | None = None) -> Host:
    return Host(system or FakeSystem(), tmp_path / "state")


def words(system: FakeSystem, tmp_path: Path) -> str:
    lines = [" ".join(argv) for argv in system.ran]
    return (
        "\n".join(lines).replace(str(tmp_path), "<tmp>").replace(furnish.launcher(LAB.machine(1))[0], "python") + "\n"
    )


def nothing_of(system: FakeSystem) -> bool:
    return not (system.links or system.namespaces or system.blackholes or system.living)


LAB = lab(Path("/state"), 3)


def test_names_and_addresses() -> None:
    first = LAB.machine(1)
    assert (LAB.tag, LAB.gateway) == ("fl4d00", "10.77.0.1")
    assert (first.name, first.address, first.namespace, first.uid) == ("m1", "10.77.0.11", "fl4d00m1", 34_001)
    assert len({m.mac for m in LAB.machines}) == 3
    assert len(lab(Path("/s"), 100, "10.255.255.0/24").machine(100).namespace) <= 15  # IFNAMSIZ - 1


@pytest.mark.parametrize(
    ("machines", "subnet", "what"),
    [(0, "10.77.0.0/24", "--machines"), (101, "10.77.0.0/24", "--machines"), (1, "10.77.0.5/24", "--subnet"),
     (1, "10.0.0.0/8", "--subnet"), (1, "8.8.8.0/24", "--subnet"), (1, "127.0.0.0/24", "--subnet"),
     (1, "x", "--subnet")],
)  # fmt: skip
def test_what_cannot_be_is_refused(machines: int, subnet: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        lab(Path("/state"), machines, subnet)


def test_up_and_down_run_what_the_transcript_says(tmp_path: Path) -> None:
    system = FakeSystem()
    control.up(host(tmp_path, system), 2)
    up = words(system, tmp_path)
    system.ran.clear()
    assert control.down(host(tmp_path, system))
    text = f"# up, 2 machines\n{up}\n# down\n{words(system, tmp_path)}"
    check_golden("lab/transcript.txt", text)
    assert nothing_of(system)
    assert not (tmp_path / "state" / ".lab").exists()


def test_the_blackhole_is_there_before_the_bridge_and_after_it(tmp_path: Path) -> None:
    system = FakeSystem()
    control.up(host(tmp_path, system), 1)
    control.down(host(tmp_path, system))
    lines = [" ".join(argv[:4]) for argv in system.ran]
    assert lines.index("ip route add blackhole") < lines.index("ip link add fl4d00")
    assert lines.index("ip link delete fl4d00") < lines.index("ip route delete blackhole")


def test_up_again_changes_only_what_is_not_as_it_should_be(tmp_path: Path) -> None:
    system = FakeSystem()
    control.up(host(tmp_path, system), 3)
    system.ran.clear()
    control.up(host(tmp_path, system), 3)
    assert system.ran == []
    system.kill(1001)  # m2 ends by itself
    key = (tmp_path / "state/.lab/m2/ssh/host_key.pub").read_text(encoding="ascii")
    control.up(host(tmp_path, system), 3)
    assert {word for argv in system.ran for word in argv if word.startswith("fl4d00m")} == {"fl4d00m2"}
    assert (tmp_path / "state/.lab/m2/ssh/host_key.pub").read_text(encoding="ascii") == key
    control.up(host(tmp_path, system), 1)
    assert system.namespaces == {"fl4d00m1"}
    assert not (tmp_path / "state/.lab/m3").exists()


def test_a_start_that_failed_is_repaired_by_the_next(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="address add"):
        control.up(host(tmp_path, broken := FakeSystem(fails="-netns fl4d00m2 address add")), 2)
    system = FakeSystem()
    system.links, system.namespaces, system.blackholes, system.living = (
        broken.links, broken.namespaces, broken.blackholes, broken.living,
    )  # fmt: skip
    control.up(host(tmp_path, system), 2)
    assert [state.reachable for state in control.status(host(tmp_path, system))] == [True, True]
    control.down(host(tmp_path, system))
    assert nothing_of(system)


def test_refusals_change_nothing(tmp_path: Path) -> None:
    for system, match in ((FakeSystem(root=False), "needs root"), (FakeSystem(lacking=["sshd"]), "openssh-server")):
        with pytest.raises(UsageError, match=match):
            control.up(host(tmp_path, system), 2)
        assert system.ran == []
    foreign = FakeSystem()
    foreign.links.add("fl4d00")
    with pytest.raises(UsageError, match="in use on this host"):
        control.up(host(tmp_path, foreign), 2)
    assert not (tmp_path / "state").exists()
    require(FakeSystem())


def test_another_network_is_refused_while_there_is_a_lab(tmp_path: Path) -> None:
    control.up(host(tmp_path, system := FakeSystem()), 1, "10.78.0.0/24")
    with pytest.raises(UsageError, match="fleet lab down"):
        control.up(host(tmp_path, system), 1, "10.77.0.0/24")
    assert control.up(host(tmp_path, system), 2).tag == "fl4e00"


def test_cut_and_mend(tmp_path: Path) -> None:
    control.up(host(tmp_path, system := FakeSystem()), 2)
    system.ran.clear()
    control.connect(host(tmp_path, system), "m2", plugged=False)
    control.connect(host(tmp_path, system), "m2", plugged=True)
    assert system.ran == [("ip", "link", "set", "fl4d00m2", "down"), ("ip", "link", "set", "fl4d00m2", "up")]
    with pytest.raises(UsageError, match="m1, m2"):
        control.connect(host(tmp_path, system), "m3", plugged=False)


def test_inventory_and_known_hosts_name_every_machine(tmp_path: Path) -> None:
    control.up(host(tmp_path), 3)
    folder = tmp_path / "state" / ".lab"
    document = json.loads((folder / "hosts.json").read_text(encoding="utf-8"))
    assert document["hub_hosts"] == {"hosts": ["m1"]}
    assert document["wec_hosts"] == {"hosts": ["m2", "m3"]}
    assert document["_meta"]["hostvars"]["m3"]["ansible_host"] == "10.77.0.13"
    assert "StrictHostKeyChecking=yes" in document["_meta"]["hostvars"]["m3"]["ansible_ssh_common_args"]
    lines = (folder / "ssh" / "known_hosts").read_text(encoding="ascii").splitlines()
    assert [line.split()[0] for line in lines] == ["10.77.0.11", "10.77.0.12", "10.77.0.13"]
    assert (folder / "ssh" / "known_hosts").stat().st_mode & 0o777 == 0o600


def test_a_lonely_machine_has_hub_and_wecs(tmp_path: Path) -> None:
    control.up(host(tmp_path), 1)
    document = json.loads((tmp_path / "state/.lab/hosts.json").read_text(encoding="utf-8"))
    assert document["hub_hosts"] == document["wec_hosts"] == {"hosts": ["m1"]}


def test_a_machine_gets_its_user_beside_the_hosts_own(tmp_path: Path) -> None:
    for name, text in (
        ("passwd", "root:x:0:0::/root:/bin/sh\nfleet:x:1:1::/:/bin/sh\n"),
        ("group", ""),
        ("shadow", ""),
    ):
        (tmp_path / "etc").mkdir(exist_ok=True)
        (tmp_path / "etc" / name).write_text(text, encoding="ascii")
    (tmp_path / "home").mkdir()
    control.up(host(tmp_path), 1)
    document = json.loads((tmp_path / "state/.lab/m1/machine.json").read_text(encoding="utf-8"))
    # chown to a user that is not there needs root; the test's own user stands in.
    document["uid"] = tmp_path.stat().st_uid
    for _ in range(2):  # a machine that comes back finds its own files
        furnish_machine(document, tmp_path)
    assert (tmp_path / "etc/passwd").read_text(encoding="ascii").splitlines() == [
        "root:x:0:0::/root:/bin/sh",
        "fleet:x:34001:34001::/home/fleet:/bin/bash",
    ]
    assert (tmp_path / "etc/ssh/fleet_host_key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "home/fleet").stat().st_mode & 0o777 == 0o700


def test_mounts_come_before_what_hides_the_host() -> None:
    steps = plan.mounts(Path("/state/.lab/m1"), "fl4d00m1")
    assert steps[0] == ("mount", "--make-rprivate", "/")
    assert " ".join(step[-1] for step in steps[1:]) == "/etc /var /home /root /run /dev/shm /tmp /sys"


def test_control_groups_of_both_versions(tmp_path: Path) -> None:
    for name in ("cpu", "cpuset", "unified", "empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "unified" / "cgroup.controllers").write_text("cpu memory\n", encoding="ascii")
    (tmp_path / "empty" / "cgroup.controllers").write_text("\n", encoding="ascii")
    (tmp_path / "cpuset" / "cpuset.cpus").write_text("0-1\n", encoding="ascii")
    (tmp_path / "cpuset" / "cpuset.mems").write_text("0\n", encoding="ascii")
    mounts = "".join(
        f"x {tmp_path / name} {kind} rw,relatime,{name} 0 0\n"
        for name, kind in (("cpu", "cgroup"), ("cpuset", "cgroup"), ("unified", "cgroup2"), ("empty", "cgroup2"))
    )
    trees = hierarchies(f"{mounts}tmpfs /sys/fs/cgroup tmpfs rw 0 0\nshort\n")
    assert [(tree.path.name, tree.version) for tree in trees] == [("cpu", 1), ("cpuset", 1), ("unified", 2)]
    made, refused = create(trees, "fl", "m1")
    assert [path.relative_to(tmp_path).as_posix() for path in made] == ["cpu/fl/m1", "cpuset/fl/m1", "unified/fl/m1"]
    assert refused == []
    assert (tmp_path / "cpuset/fl/m1/cpuset.cpus").read_text(encoding="ascii") == "0-1"
    assert (tmp_path / "unified/fl/cgroup.subtree_control").read_text(encoding="ascii") == "+cpu +memory"
    (tmp_path / "unified/fl/m1/memory.current").write_text("4096\n", encoding="ascii")
    (tmp_path / "unified/fl/m1/cpu.stat").write_text("usage_usec 1500000\nuser_usec 1\n", encoding="ascii")
    assert usage(trees, "fl", "m1") == (4096, 1.5)


def test_groups_are_removed_and_a_tree_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    tree = hierarchies(f"x {tmp_path / 'cpu'} cgroup rw,cpu 0 0\nx {tmp_path / 'gone'} cgroup rw,memory 0 0\n")
    made, refused = create(tree, "fl", "m1")
    assert len(made) == 1
    assert "gone" in refused[0]
    assert remove(tree, "fl", "m1") == []
    assert remove(tree, "fl") == []
    assert list((tmp_path / "cpu").iterdir()) == []
