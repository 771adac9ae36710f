"""What a machine is refused for before anything of ours is on it: ports, distinguished by the registry of its
fleets."""

from __future__ import annotations

import importlib.util
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

MODULE = Path(__file__).parents[3] / "plugins" / "modules" / "fleet_target.py"


@pytest.fixture(scope="module")
def taken() -> Callable[[Path, dict[str, Any]], list[str]]:
    spec = importlib.util.spec_from_file_location("fleet_target", MODULE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[Path, dict[str, Any]], list[str]] = module.taken
    return found


@pytest.fixture
def held() -> Iterator[int]:
    """A port that some program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_of_nobody_of_the_fleet_s_own_and_of_others(
    taken: Callable[[Path, dict[str, Any]], list[str]], held: int, tmp_path: Path
) -> None:
    folder, registry = tmp_path / "demo", tmp_path / "ports.json"
    stranger = f"control_plane_ports: port {held} for its1 is held by another program: choose another"
    assert taken(folder, {"its1": str(held)}) == [stranger]
    registry.write_text("not a registry")
    assert taken(folder, {"its1": held}) == [stranger]

    block = {"fleet": "demo", "owner": "its1", "start": held - 2, "count": 3}
    registry.write_text(json.dumps({"format": 1, "blocks": [block]}))
    assert taken(folder, {"its1": held}) == []  # it runs already
    assert taken(folder, {"wds1": held}) == [
        f"control_plane_ports: port {held} for wds1 is held by its1 of fleet demo: choose another"
    ]
    assert "its1 of fleet demo" in taken(tmp_path / "other", {"its1": held})[0]

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert taken(folder, {"wec001": port}) == []
