"""The host that the tests run on: its whole CPU time is more than this process's, and both only grow."""

from __future__ import annotations

from pathlib import Path

import psutil

from fleet.observe.host_load import BOOT_ID, HostLoad
from tests.unit.observe.test_processes import fleet


def test_a_host_has_used_at_least_what_the_driver_has(tmp_path: Path) -> None:
    load = HostLoad(fleet(tmp_path))
    first = load.sample()
    own = psutil.Process().cpu_times()
    second = load.sample()
    assert first.host == BOOT_ID.read_text().strip()
    assert first.machines == ["m"]  # the one over SSH has a sampler of its own
    assert second.busy_seconds >= first.busy_seconds > 0
    assert second.harness_seconds >= own.user + own.system > 0


def test_a_driver_that_is_gone_took_nothing(tmp_path: Path) -> None:
    assert HostLoad(fleet(tmp_path), driver=2**22 + 1).sample().harness_seconds == 0  # above the kernel's largest pid
