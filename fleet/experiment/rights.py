"""The rights that a run needs in each space: the engine's own, and what the manager's hops and policies need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from fleet.kube.resources import CRDS, NAMESPACES, PODS, SERVICE_ACCOUNTS, Resource
from fleet.managers.manager import Manager
from fleet.managers.rights import Right, right
from fleet.model.manager_record import Space

SPACES: tuple[Space, ...] = ("source", "transport", "wec")
MADE = ("create", "delete", "list", "watch")
SEEN = ("list", "watch")


def needed(manager: Manager, kinds: Sequence[Resource], *, crds: bool = False) -> tuple[Right, ...]:
    """Every right, in the order of spaces and resources, each resource once per space with all its verbs.

    `kinds` are those of the workload; `crds`: the experiment brings CRDs, which are made where they are missing.
    """
    spaces = SPACES if manager.roles() else ("wec",)
    found: dict[tuple[Space, str], Right] = {}
    for one in _all(manager, kinds, crds=crds):
        # Without a hub the WECs are where objects are created.
        here = one if one.space in spaces else replace(one, space="wec")
        known = found.get((here.space, str(here)))
        verbs = sorted({*here.verbs, *(known.verbs if known else ())})
        found[here.space, str(here)] = replace(here, verbs=tuple(verbs))
    return tuple(found[key] for key in sorted(found, key=lambda key: (SPACES.index(key[0]), key[1])))


def _all(manager: Manager, kinds: Sequence[Resource], *, crds: bool) -> Iterator[Right]:
    workload: tuple[Space, ...] = ("source", "wec")
    for space in workload:
        yield right(space, NAMESPACES, *MADE)
        if PODS in kinds:
            yield right(space, SERVICE_ACCOUNTS, *SEEN)
        if crds:
            yield right(space, CRDS, "create", *SEEN)
    for kind in kinds:
        yield right("wec", kind, *SEEN)
        if not manager.wraps:
            yield right("source", kind, *MADE)
    for kind in manager.made:
        yield right("source", kind, *MADE)
    for hop in manager.hops:
        if hop.resource is not None:
            yield right(hop.row.space, hop.resource, *SEEN)
    yield from manager.rights
    # Of the API server itself: requests and storage at the hub, CPU and memory of a WEC. A source's says besides who
    # watches a kind that was just added.
    for space in SPACES:
        yield Right(space, ("get",), url="/metrics", optional=not (crds and space == "source"))
