"""What people read while a toolchain is built."""

import io
from pathlib import Path

from fleet.toolchain import BuildProgress
from fleet.toolchain.console import renderer

NOTE = "with nothing cached about 13 minutes on 2 cores"


def step(group: str, fraction: float, elapsed: float) -> BuildProgress:
    return BuildProgress(group, fraction, elapsed, 780.0, Path("cache/toolchain/abc"))


def test_time_to_go_is_the_estimate_at_first_and_the_speed_later() -> None:
    assert step("kwok", 0.0, 80.0).eta == 700.0
    assert step("kwok", 0.25, 100.0).eta == 300.0
    assert step("kwok", 0.0, 900.0).eta == 0.0


def test_plain_lines() -> None:
    out = io.StringIO()
    report = renderer(out, motion=False)
    report(step("controlplane", 0.0, 1.0))
    report(step("controlplane", 0.1, 2.0))
    report(step("kwok", 0.5, 300.0))
    assert out.getvalue().splitlines() == [
        "toolchain: building the upstream programs into cache/toolchain/abc; " + NOTE,
        "toolchain: controlplane   0%, 0:01 elapsed, about 12:59 to go",
        "toolchain: kwok  50%, 5:00 elapsed, about 5:00 to go",
    ]


def test_motion_ends_its_line() -> None:
    out = io.StringIO()
    report = renderer(out, motion=True)
    report(step("ready", 1.0, 10.0))
    assert out.getvalue().endswith("about 0:00 to go\n")
