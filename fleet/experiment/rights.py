"""The rights that a run needs in each space: the engine's own, and those of the manager."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fleet.kube.resources import CRDS, NAMESPACES, PODS, SERVICE_ACCOUNTS, Resource
from fleet.managers.rights import Right, of_manager, right
from fleet.model.manager_record import Space

SPACES: tuple[Space, ...] = ("source", "transport", "wec")
WORKLOAD: tuple[Space, ...] = ("source", "wec")
"""Where the run's namespaces are made."""


def needed(manager: str, kinds: Sequence[Resource], *, crds: bool = False) -> tuple[Right, ...]:
    """Every right, in the order of spaces and resources, each resource once per space with all its verbs.

    `kinds` are those of the workload; `crds`: the experiment brings CRDs, which are made where they are missing.
    """
    found: list[Right] = [
        *(right(space, NAMESPACES, "create", "delete", "list", "watch") for space in WORKLOAD),
        *(right("wec", kind, "list", "watch") for kind in kinds),
        *of_manager(manager, kinds),
        # Of the API server itself: requests and storage at the hub, CPU and memory of a WEC.
        *(Right(space, ("get",), url="/metrics", optional=True) for space in SPACES),
    ]
    if PODS in kinds:
        found += [right(space, SERVICE_ACCOUNTS, "list", "watch") for space in WORKLOAD]
    if crds:
        found += [right(space, CRDS, "create", "list", "watch") for space in WORKLOAD]
    spaces = SPACES if any(one.space == "source" for one in of_manager(manager, kinds)) else ("wec",)
    return tuple(one for space in spaces for one in _merged([one for one in found if one.space == space]))


def _merged(rights: Sequence[Right]) -> list[Right]:
    merged: dict[str, Right] = {}
    for one in rights:
        known = merged.get(str(one))
        verbs = sorted({*one.verbs, *(known.verbs if known else ())})
        merged[str(one)] = replace(one, verbs=tuple(verbs))
    return [merged[name] for name in sorted(merged)]
