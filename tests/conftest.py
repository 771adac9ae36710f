"""What all workers of a session share: the state folder of their live fleets."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder, before workers start and inherit it; short, because unix sockets lie below it (107 bytes)."""
    if not hasattr(config, "workerinput"):
        os.environ["FLEET_TEST_STATE"] = str(Path(tempfile.gettempdir()) / f"fl-{os.getpid()}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove it when no worker is left."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ["FLEET_TEST_STATE"], ignore_errors=True)
