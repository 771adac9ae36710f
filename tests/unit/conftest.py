"""What all unit tests share: workers of a session take ports in ranges of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from fleet.host import ports

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
