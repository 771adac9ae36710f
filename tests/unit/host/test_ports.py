"""Port blocks: taken once, given back, skipped when somebody listens."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.errors import CapacityError, HostError, UsageError
from fleet.host.ports import Registry

EPHEMERAL = (32_768, 60_999)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path, ephemeral=EPHEMERAL)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server


def test_an_owner_keeps_its_block(registry: Registry) -> None:
    first = registry.take("demo", "its1", 3)
    assert registry.take("demo", "its1", 3).ports == first.ports
    found = registry.find("demo", "its1")
    assert found is not None
    assert found.ports == first.ports
    assert len(first.ports) == 3


def test_blocks_do_not_overlap_and_stay_outside_the_ephemeral_range(registry: Registry) -> None:
    ports = [port for name in range(20) for port in registry.take("demo", f"wec{name}", 3).ports]
    assert len(set(ports)) == 60
    assert not [port for port in ports if EPHEMERAL[0] <= port <= EPHEMERAL[1] or port < 1024]


def test_another_size_gets_another_block(registry: Registry) -> None:
    registry.take("demo", "its1", 2)
    assert registry.take("demo", "its1", 4).count == 4
    assert len(registry.blocks("demo")) == 1


def test_given_back_one_by_one_and_by_fleet(registry: Registry) -> None:
    registry.take("demo", "a", 1)
    registry.take("demo", "b", 1)
    kept = registry.take("other", "a", 1)
    assert registry.give_back("demo", "a")
    assert [block.owner for block in registry.blocks("demo")] == ["b"]
    assert registry.give_back("demo")
    assert not registry.give_back("demo")
    assert [(b.fleet, b.start) for b in registry.blocks()] == [("other", kept.start)]


def test_a_taken_port_is_skipped_and_its_holder_named(registry: Registry) -> None:
    expected = registry.take("demo", "first", 1).start
    registry.give_back("demo")
    with socket.socket() as server:
        server.bind(("127.0.0.1", expected))
        server.listen()
        block = registry.take("demo", "second", 2)
    assert expected not in block.ports
    told = next(note for note in block.notes if f"port {expected} is held by" in note)  # others may hold some too
    assert f"pid {os.getpid()}" in told


def test_a_stranger_on_a_block_whose_programs_do_not_run_moves_it(registry: Registry) -> None:
    block = registry.take("demo", "its1", 1)
    with socket.socket() as server:
        server.bind(("127.0.0.1", block.start))
        server.listen()
        assert registry.take("demo", "its1", 1, in_use=True).ports == block.ports
        moved = registry.take("demo", "its1", 1, in_use=False)
    assert moved.start != block.start
    assert "moved to another block" in moved.notes[0]


def test_a_chosen_port_is_taken_as_it_is(registry: Registry) -> None:
    chosen = registry.take("probe", "its1", 5).start  # free on this machine, whatever else runs here
    registry.give_back("probe")
    assert registry.take("demo", "its1", 3, start=chosen).start == chosen
    last = chosen + 2
    with pytest.raises(UsageError, match=f"control_plane_ports: port {last} for wds1 is held by its1 of fleet demo"):
        registry.take("demo", "wds1", 3, start=last)


def test_a_chosen_port_that_is_held_is_refused(registry: Registry, listener: socket.socket) -> None:
    with pytest.raises(UsageError, match="choose another"):
        registry.take("demo", "its1", 1, start=listener.getsockname()[1])


def test_no_room_says_so(tmp_path: Path) -> None:
    with pytest.raises(CapacityError, match="no 3 consecutive free ports for its1 outside the ephemeral range"):
        Registry(tmp_path, ephemeral=(1024, 65_535)).take("demo", "its1", 3)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 1}', '{"format": 1, "blocks": [{}]}'])
def test_a_damaged_file_is_named(registry: Registry, text: str) -> None:
    registry.file.write_text(text)
    with pytest.raises(HostError, match=r"ports\.json is not a port registry"):
        registry.blocks()


def test_a_newer_file_is_refused(registry: Registry) -> None:
    registry.file.write_text(json.dumps({"format": 2, "blocks": []}))
    with pytest.raises(HostError, match="format 2 is not 1"):
        registry.blocks()


def test_the_file_is_private(registry: Registry) -> None:
    registry.take("demo", "its1", 1)
    assert registry.file.stat().st_mode & 0o777 == 0o600
