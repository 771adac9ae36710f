"""The kinds of control planes by the word in a file; to add one, write its module and add it here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from fleet.errors import SpecError
from fleet.experiments.density.targets import kwokctl
from fleet.experiments.density.targets.kplane import KplaneServer
from fleet.experiments.density.targets.ours import Ours
from fleet.experiments.density.targets.target import Ground, Target
from fleet.host.drivers.driver import driver_kinds
from fleet.model.model_errors import nearest


@dataclass(frozen=True)
class Kind:
    """One kind of control planes."""

    make: Callable[[Ground], Target]
    needs: tuple[str, ...] = ()
    """Of the toolchain, alongside what every fleet needs and the load client."""


TARGETS: Mapping[str, Kind] = {
    **{name: Kind(partial(Ours, name=name), (f"driver:{name}",)) for name in driver_kinds()},
    "kwokctl": Kind(kwokctl.Kwokctl, kwokctl.NEEDS),
    "kplane": Kind(KplaneServer),
}


def of(name: str) -> Kind:
    """The one of that name; SpecError with the nearest one when there is none."""
    if name not in TARGETS:
        raise SpecError(f"{name!r} is none of {', '.join(TARGETS)}{nearest(name, TARGETS)}", field="target")
    return TARGETS[name]
