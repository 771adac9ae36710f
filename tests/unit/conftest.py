"""What all unit tests share: a state folder, a supervisor, and ports: workers of a session take them in own ranges."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.host import ports
from fleet.host.supervise import Supervisor

pytest.register_assert_rewrite("tests.unit.golden")


@pytest.fixture(scope="session", autouse=True)
def _ports_of_this_worker() -> Iterator[None]:
    """Registries of two state folders may begin at the same port, and then skip what the other's programs listen on.
    The programs of these tests do not listen on all of their ports, so every other worker stays above the ephemeral
    range."""
    with pytest.MonkeyPatch.context() as patch:
        if int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 2:
            high = ports.ephemeral_range()[1]
            patch.setattr(ports, "ephemeral_range", lambda: (ports.LOWEST, high))
        yield


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder as fleets have one: nobody else may look into it."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """A real one, in a folder with a short path: pytest's may exceed the 107 bytes of a unix socket."""
    with tempfile.TemporaryDirectory(prefix="fh-") as folder:
        found = Supervisor(Path(folder) / "demo")
        try:
            yield found
        finally:
            found.shutdown()
