"""Capacity: hand-worked numbers on both sides, and a fix for each shortage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fleet.errors import CapacityError
from fleet.host.limits import GIB, RESERVE, Need, Room, measure_room, refuse, shortages
from fleet.host.weight import MIB, NOTHING, Weight
from fleet.managers.installer import installer, known

ROOM = Room(
    memory=16 * GIB,
    disk=100 * GIB,
    descriptors=20_000,
    inotify_instances=8_000,
    inotify_watches=500_000,
    inotify_instances_limit=8_192,
    inotify_watches_limit=524_288,
    processes=30_000,
    ports=20_000,
)
HUB_PLANE = Weight(400 * MIB, 12, 40, 50, 3, 400 * MIB)
AGENT = Weight(30 * MIB, 2, 4, 12, 1, 10 * MIB)
WEC = Weight(90 * MIB, 10, 36, 18, 1.1, 30 * MIB)
NEED = Need(hub_planes=2, wecs=20, driver="dense", shard_size=25, wec=WEC, hub_plane=HUB_PLANE, agent=AGENT)


def test_a_machine_with_room_has_no_shortage() -> None:
    assert shortages(NEED, ROOM) == []
    refuse([])


def test_nothing_more_is_needed_on_a_full_machine() -> None:
    assert shortages(replace(NEED, hub_planes=0, wecs=0), replace(ROOM, memory=0, inotify_instances=-3, ports=0)) == []


def test_memory_says_by_how_many_wecs_to_shrink() -> None:
    room = replace(ROOM, memory=512 * MIB + 2 * HUB_PLANE.memory + 7 * WEC.memory + 1)
    (found,) = shortages(NEED, room)
    assert "lower wec_count by 13" in found.fix  # 7 of 20 fit


def test_agents_of_wecs_are_weighed_too() -> None:
    need = replace(NEED, agents=40)
    assert shortages(need, ROOM) == []
    memory = 2 * HUB_PLANE.memory + 20 * WEC.memory + RESERVE
    (one,) = shortages(need, replace(ROOM, memory=memory))
    assert "2 more control planes of the hub and 20 more WECs (dense) with 40 agents" in one.what
    # 20 times 90 MiB are 12 times 150 MiB: a WEC with its two agents of 30 MiB.
    assert one.fix.startswith("lower wec_count by 8,")


def test_what_plays_the_nodes_is_weighed_with_each_wec() -> None:
    need = replace(NEED, hub_planes=0, nodes=NOTHING.plus(Weight(10 * MIB, 0, 0, 0, 0, 0), 20))
    (one,) = shortages(need, replace(ROOM, memory=RESERVE + 20 * WEC.memory))
    assert one.fix.startswith("lower wec_count by 2,")  # 20 times 90 MiB are 18 times 100 MiB


def test_only_a_fleet_with_a_manager_needs_room_for_its_programs() -> None:
    room = replace(ROOM, memory=RESERVE + 20 * WEC.memory)
    for name in known():
        manager = installer(name)
        need = replace(NEED, hub_planes=0, agents=20, hub_plane=manager.plane, agent=manager.agent)
        assert bool(shortages(need, room)) == (name != "none"), name


def test_inotify_is_what_root_may_raise() -> None:
    room = replace(ROOM, inotify_instances=100, inotify_instances_limit=128)
    (found,) = shortages(NEED, room)
    assert found.sysctl == ("fs.inotify.max_user_instances", 8192)
    assert found.fix == "as root: sysctl -w fs.inotify.max_user_instances=8192"
    assert "(limit 128, 28 in use)" in found.text()


def test_a_raised_limit_is_never_lower_than_what_is_needed() -> None:
    room = replace(ROOM, inotify_instances=10, inotify_instances_limit=9_000)
    (found,) = shortages(NEED, room)
    # 8,990 in use, 12 for each control plane of the hub, 10 for each WEC
    assert found.sysctl == ("fs.inotify.max_user_instances", 8_990 + 2 * 12 + 20 * 10)


def test_descriptors_count_a_whole_shard_of_the_dense_driver_only() -> None:
    room = replace(ROOM, descriptors=4_999)
    (found,) = shortages(NEED, room)  # 2,000 + 150 * 20 = 5,000
    assert (found.needed, found.available) == ("5000", "4999")
    assert shortages(replace(NEED, driver="process"), room) == []


def test_every_shortage_is_in_the_refusal() -> None:
    room = replace(ROOM, memory=GIB, disk=GIB, ports=3, processes=10)
    with pytest.raises(CapacityError) as refused:
        refuse(shortages(NEED, room))
    text = str(refused.value)
    assert text.startswith("this machine cannot hold the fleet; nothing was changed:\n- memory for 2 more")
    assert [word for word in ("memory", "disk", "processes and threads", "ports") if word not in text] == []


def test_this_machine_can_be_measured(tmp_path: Path) -> None:
    room = measure_room(tmp_path / "not" / "there")
    assert room.memory > 0
    assert room.disk > 0
    assert room.inotify_instances <= room.inotify_instances_limit
    assert room.processes > 0


def test_simulated_nodes_need_ports_and_memory_too() -> None:
    nodes = NOTHING.plus(Weight(3 * MIB, 0, 0, 0, 1, 0), 500).plus(Weight(60 * MIB, 1, 1, 40, 0, 0), 2)
    assert (nodes.memory, nodes.ports, nodes.inotify_instances, nodes.threads) == (1620 * MIB, 500, 2, 80)
    bare = replace(NEED, hub_planes=0, wecs=0, agents=0, nodes=nodes)
    (ports,) = shortages(bare, replace(ROOM, ports=500))
    assert "501" in ports.needed
    assert "lower wec_nodes" in ports.fix
    (memory,) = shortages(bare, replace(ROOM, memory=2000 * MIB))
    assert "lower wec_nodes" in memory.fix
