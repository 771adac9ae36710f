"""One fleet per driver for the whole of a test module, built by `site.yml`, gone at the end whatever happened.

Fleets that pytest's workers build alongside each other share a state folder, as those of one user do: its port registry
keeps them apart.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.lab import Lab

FAST = {
    "transport_its_qps": 1000,
    "transport_its_burst": 2000,
    "transport_wds_qps": 1000,
    "transport_wds_burst": 2000,
    "controller_wds_qps": 1000,
    "controller_wds_burst": 2000,
    "controller_its_qps": 1000,
    "controller_its_burst": 2000,
    "status_hub_qps": 1000,
    "status_hub_burst": 2000,
    "status_local_qps": 1000,
    "status_local_burst": 2000,
}
"""Without the default 5 QPS the tests take minutes less; what the limits do is an experiment, not a test."""


@contextmanager
def state_folder() -> Iterator[Path]:
    """A state folder for one lab; short, because unix sockets lie below it (107 bytes at most)."""
    state = Path(tempfile.mkdtemp(prefix="fl-"))
    try:
        yield state
    finally:
        shutil.rmtree(state, ignore_errors=True)


def common_state() -> Path:
    """The state folder of all workers of this session; see tests/conftest.py."""
    return Path(os.environ["FLEET_TEST_STATE"])


@contextmanager
def own_lab(name: str, variables: Mapping[str, object]) -> Iterator[Lab]:
    """A lab with a state folder of its own, which nothing has built yet; torn down at the end whatever happened."""
    with state_folder() as state, _torn_down(Lab(name, state, variables)) as made:
        yield made


@contextmanager
def shared_lab(name: str, variables: Mapping[str, object]) -> Iterator[Lab]:
    """The same in the state folder of all workers."""
    with _torn_down(Lab(name, common_state(), variables, alone=False)) as made:
        yield made


@contextmanager
def _torn_down(made: Lab) -> Iterator[Lab]:
    try:
        yield made
    finally:
        made.playbook("playbooks/teardown.yml")


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in ("dense", "process")]
)
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Three WECs by one driver, not built yet: the first test builds them."""
    variables = {"wec_count": 3, "control_plane_driver": request.param, **FAST}
    with shared_lab(f"t-{request.param}", variables) as made:
        yield made
