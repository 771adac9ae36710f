"""Hand-made histories: one object from its source to two WECs and back, line by line, to be broken by a test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fleet.analysis.checker.check import Checked, Checker
from fleet.analysis.history import History
from fleet.results.events import (
    Fact,
    FaultHealed,
    FaultInjected,
    GapSeen,
    HopSeen,
    Line,
    ObjectRef,
    Planned,
    RunMark,
    Sent,
    TrialPlan,
    WorkloadSeen,
)
from fleet.results.format1_manager import MANAGER

WDS, ITS, WECS = "wds1", "its1", ("wec001", "wec002")
SECOND = 1_000_000_000
OP, OTHER = "op-1", "op-2"
FINAL = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
         "conditions": [{"type": "Available", "status": "True"}]}  # fmt: skip
WORKS, STATUSES = (row.resource for row in MANAGER.hops if row.mark in ("packaged", "reported"))


def at(seconds: float) -> dict[str, int]:
    """Stamps of that moment."""
    return {"ns": SECOND + round(seconds * SECOND), "wall": SECOND + round(seconds * SECOND)}


def ref(op: str) -> ObjectRef:
    return ObjectRef("apps", "deployments", "ns", op)


def seen(
    seconds: float, cluster: str, type_: str, rv: int, *, uid: str = "", op: str = OP, **fields: Any
) -> WorkloadSeen:
    """The object in a cluster; its uid is of the cluster and op unless another is given."""
    own = {"generation": 1, "replicas": 1, "status": None, **fields}
    return WorkloadSeen(
        **at(seconds), cluster=cluster, type=type_, uid=uid or f"{op}@{cluster}", rv=str(rv), ref=ref(op), op=op, **own
    )


def work(seconds: float, wec: str, rv: int, *, version: int = 1, type_: str = "ADDED", op: str = OP) -> HopSeen:
    """The ManifestWork that carries the object."""
    return HopSeen(
        **at(seconds), cluster=ITS, type=type_, uid=f"work-{op}-{wec}", rv=str(rv), hop="packaged", resource=WORKS,
        name=f"w-{op}", namespace=wec, facts=[Fact(("op", op), wec)], version=version, source=WDS,
        gives=[("work", wec, f"w-{op}"), ("work-uid", f"work-{op}-{wec}")],
    )  # fmt: skip


def reported(seconds: float, wec: str, rv: int, status: Any, *, op: str = OP, type_: str = "ADDED") -> HopSeen:
    """The WorkStatus of the object in a WEC."""
    about = ("work-uid", f"work-{op}-{wec}", "apps", "deployments", "ns", op)
    return HopSeen(
        **at(seconds), cluster=ITS, type=type_, uid=f"status-{op}-{wec}", rv=str(rv), hop="reported",
        resource=STATUSES, name=f"s-{op}", namespace=wec, facts=[Fact(about, wec, status=status)],
    )  # fmt: skip


def planned(op: str = OP, wecs: Sequence[str] = WECS) -> list[Line]:
    """What the driver writes down of an object, and its answered write."""
    return [
        Planned(**at(0), trial="t000", op=op, policy="p", ref=ref(op), clusters=list(wecs), status="aggregate"),
        Sent(**at(1), op=op, scheduled_ns=0, sent_ns=0, code=201, rv="10"),
    ]


def begin(op: str = OP, wecs: Sequence[str] = WECS) -> list[Line]:
    """The trial with one object, planned, sent and seen at its source."""
    trial = TrialPlan(
        **at(0), trial="t000", layout="one-to-many", wecs=2, repeat=0, clusters=list(WECS), kind="deployment"
    )
    load = RunMark(**at(0.5), step="load", edge="begin", trial="t000")
    return [trial, *planned(op, wecs), load, seen(1, WDS, "ADDED", 10)]


def delivered(wecs: Sequence[str] = WECS, *, op: str = OP) -> list[Line]:
    """Its way to those WECs, and its final status there and back."""
    lines: list[Line] = []
    for number, wec in enumerate(wecs):
        lines += [
            work(2, wec, 20 + number, op=op),
            seen(3, wec, "ADDED", 30, op=op),
            seen(4, wec, "MODIFIED", 31, op=op, status=FINAL),
            reported(5, wec, 40 + number, FINAL, op=op),
        ]
    return lines


def drained(seconds: float = 10) -> RunMark:
    """The trial's drain ended of itself."""
    return RunMark(**at(seconds), step="drain", edge="end", trial="t000")


def deleted(seconds: float = 11) -> list[Line]:
    """It goes from its source, then from its WECs."""
    return [
        seen(seconds, WDS, "DELETED", 50),
        *(seen(seconds + 1, wec, "DELETED", 60) for wec in WECS),
        RunMark(**at(seconds + 2), step="clean", edge="end", trial="t000"),
    ]


def whole() -> list[Line]:
    """A run that keeps every rule."""
    return [*begin(), *delivered(), drained(), *deleted()]


def gap(wec: str, seconds: float) -> GapSeen:
    """A watch of the WEC was blind until then."""
    return GapSeen(**at(seconds), cluster=wec, resource="deployments.apps", start_ns=at(seconds - 1)["ns"], reason="x")


def fault(seconds: float, until: float, *, wec: str = WECS[0], rewinds: bool = False) -> list[Line]:
    """A planned fault of a WEC."""
    return [
        FaultInjected(
            **at(seconds), trial="t000", number=0, action="stop", target=wec, machine="m", clusters=[wec], programs=[],
            rewinds=rewinds,
        ),
        FaultHealed(**at(until), trial="t000", number=0, action="stop", target=wec),
    ]  # fmt: skip


def history_of(lines: Sequence[Line]) -> History:
    """What a history knows of them."""
    history = History.of(MANAGER, WDS, object_timeout=60.0, clean_timeout=30.0)
    for number, line in enumerate(sorted(lines, key=lambda one: one.ns), start=1):
        history.feed(number, line)
    return history


def checked(lines: Sequence[Line], bound: float | None = None) -> Checked:
    """What the checker says of them, in the order of their stamps."""
    checker = Checker(History.of(MANAGER, WDS, object_timeout=60.0, clean_timeout=30.0), bound)
    for number, line in enumerate(sorted(lines, key=lambda one: one.ns), start=1):
        checker.feed(number, line)
    return checker.checked()
