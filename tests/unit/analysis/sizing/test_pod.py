"""Requests and limits of a pod, by kplane's table, worked by hand."""

from __future__ import annotations

import pytest

from fleet.analysis.sizing.observation import Observation, Setup
from fleet.analysis.sizing.pod import cpu, memory, pod
from tests.unit.analysis.sizing.points import DENSE, point

MIB = 1 << 20
ALONE = Setup(driver="dense")


def sequences() -> list[Observation]:
    """Of the experiment density: RSS 50 + 40 n MiB, peaks 60 + 50 n, 0.25 % of a core each, 2 cores to start."""
    return [
        point(
            n,
            {
                "rss.planes": (50 + 40 * n) * MIB,
                "peak_rss.planes": (60 + 50 * n) * MIB,
                "idle_cpu.planes": 0.0025 * n,
                "cpu_peak.planes": 2.0,
            },
            "density",
            setup=ALONE,
        )
        for n in (0, 4, 8, 12)
    ]


def test_the_four_fields_are_derived_as_kplane_does() -> None:
    fields = {field.field: field for field in pod(sequences(), DENSE, 12)}
    # RSS 530 MiB and 10 %: 583, rounded up to 64 Mi: 640. Peak 660 MiB times 1.2: 792, so 832. 0.03 cores. 2 cores.
    assert {name: field.written for name, field in fields.items()} == {
        "requests.memory": "640Mi", "limits.memory": "832Mi", "requests.cpu": "30m", "limits.cpu": "2000m"
    }  # fmt: skip
    assert fields["requests.memory"].estimate.value == pytest.approx(583 * MIB)
    assert fields["requests.memory"].beyond is None
    assert fields["requests.memory"].at_most == "640Mi"


def test_beyond_what_was_measured_it_says_so() -> None:
    assert {field.beyond for field in pod(sequences(), DENSE, 100)} == {12}


def test_of_fleets_alone_the_peak_of_cpu_is_left_out() -> None:
    fleets = [point(n, {"rss.planes": 40.0 * n * MIB, "idle_cpu.planes": 0.0025 * n}) for n in (10, 20, 30)]
    assert [field.field for field in pod(fleets, DENSE, 20)] == ["requests.memory", "requests.cpu"]
    assert pod(fleets, DENSE.model_copy(update={"driver": "kind"}), 20) == []


@pytest.mark.parametrize(("size", "text"), [(1, "64Mi"), (64 * MIB, "64Mi"), (65 * MIB, "128Mi"), (1024 * MIB, "1Gi")])
def test_memory_is_rounded_up_to_64_mebibytes(size: float, text: str) -> None:
    assert memory(size) == text


@pytest.mark.parametrize(("cores", "text"), [(0.0, "10m"), (0.05, "50m"), (0.0501, "60m"), (1.5, "1500m")])
def test_cpu_is_rounded_up_to_10_millicores(cores: float, text: str) -> None:
    assert cpu(cores) == text
