"""One policy per WEC against one for all of them, over growing numbers of WECs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from fleet.experiment.distribution import Distribution
from fleet.experiment.points import Ground, Point
from fleet.model.base import Name
from fleet.model.experiment_file import PolicyExperiment
from fleet.workload.profiles import content_of


class WecScaling(PolicyExperiment):
    """One policy per WEC against one for all of them, over growing numbers of WECs."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "wecs": "fleet", "layouts": ["one-to-many"], "repeats": 1, "warmup": 0, "sample_interval": "2s"
    }  # fmt: skip
    experiment: Literal["wec-scaling"]
    name: Name = "wec-scaling"


def points(spec: WecScaling, _ground: Ground) -> list[Point]:
    """One."""
    return [Point(content_of(spec.workload), spec.workload.objects)]


EXPERIMENT = Distribution("wec-scaling", WecScaling, points)
