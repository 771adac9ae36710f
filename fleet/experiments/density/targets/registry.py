"""The kinds of control planes by the word in a file; to add one, write its module and add it here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fleet.errors import SpecError
from fleet.experiments.density.targets import ours
from fleet.experiments.density.targets.kplane import KplaneServer
from fleet.experiments.density.targets.kwokctl import Kwokctl
from fleet.experiments.density.targets.target import Ground, Target
from fleet.model.model_errors import nearest

TARGETS: Mapping[str, Callable[[Ground], Target]] = {
    "dense": ours.dense,
    "process": ours.process,
    "kind": ours.kind,
    "kwokctl": Kwokctl,
    "kplane": KplaneServer,
}
NEEDS: Mapping[str, tuple[str, ...]] = {"kwokctl": ("simulator:kwok",), "kind": ("driver:kind",)}
"""Of the toolchain, beside what every fleet needs and the load client."""


def of(ground: Ground) -> Target:
    """The one that a spec names."""
    return TARGETS[checked(ground.spec.target)](ground)


def checked(name: str) -> str:
    """The name; SpecError with the nearest one when there is no such kind."""
    if name not in TARGETS:
        raise SpecError(f"{name!r} is none of {', '.join(TARGETS)}{nearest(name, TARGETS)}", field="target")
    return name
