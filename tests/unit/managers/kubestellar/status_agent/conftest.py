"""A scene of a hub and two WECs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.managers.kubestellar.status_agent.scene import Scene, make_scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with make_scene(tmp_path, "wec001", "wec002") as made:
        yield made
