"""What the frontend of each trial said, on the driver's clock."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fleet.analysis.lifelines import CREATE, SENT, Lifeline
from fleet.analysis.recorded import Recorded
from fleet.analysis.tracks import OWN, Stamp
from fleet.errors import MeasurementError
from fleet.experiments.ui_load import marks
from fleet.kube.resources import EVENTS, NODES, PODS
from fleet.results.events import TrialPlan

RESOURCES = {"Pod": str(PODS), "Node": str(NODES), "Event": str(EVENTS)}
LISTS_OF = {"overview": (PODS, NODES, EVENTS), "pods": (PODS,), "nodes": (NODES,), "deployments": ()}
"""Which of the kinds that are added a page watches."""


class ListRequest(msgspec.Struct, frozen=True):
    """One list that the frontend requested; milliseconds of its clock."""

    cluster: str
    path: str
    begin: float
    headers: float
    body: float
    parsed: float
    characters: int
    items: int


class Listed(msgspec.Struct, frozen=True):
    """The page was opened, and shows everything."""

    begin: float
    data: float
    shown: float
    items: dict[str, int]
    lists: list[ListRequest]
    before: int
    """Bytes of heap after a collection."""
    after: int
    commits: int
    render: float


class WatchEvent(msgspec.Struct, frozen=True):
    """One that the frontend applied to a list."""

    kind: str | None
    type: str
    name: str | None
    items: int
    received: float
    begin: float
    end: float
    characters: int
    shown: float | None
    render: float | None
    dropped: bool
    """Not newer than the list: the frontend left it out."""

    @property
    def parse(self) -> float:
        """Milliseconds from the receipt of its message until it is to be applied: mostly JSON."""
        return self.begin - self.received

    @property
    def apply(self) -> float:
        """Milliseconds in KubeList.applyUpdate."""
        return self.end - self.begin


class Commit(msgspec.Struct, frozen=True):
    """One rendering by React, milliseconds."""

    begin: float
    end: float
    render: float


class Reported(msgspec.Struct, frozen=True):
    """What came while the page was watched."""

    events: list[WatchEvent]
    commits: list[Commit]
    end: float
    heap: int


class _Kept(msgspec.Struct, frozen=True):
    offset_ns: float
    listed: Listed
    reported: Reported


class WireRequest(msgspec.Struct, frozen=True):
    """A request as the testbed's proxy passed it on."""

    path: str
    status: int
    begin_ns: int
    headers_ns: int
    end_ns: int
    bytes: int
    encoding: str


@dataclass(frozen=True)
class Answers:
    """Of one trial."""

    plan: TrialPlan
    listed: Listed
    reported: Reported
    offset_ns: float
    wire: Sequence[WireRequest]
    """Of its lists; empty with a backend of the user's."""

    def ns(self, now: float) -> int:
        """A stamp of the frontend on the driver's clock."""
        return round(now * 1e6 + self.offset_ns)

    def word(self, name: str) -> str:
        """A part of the point."""
        words = (part.partition("=") for part in self.plan.point.split())
        return next((value for key, _, value in words if key == name), "")

    @property
    def key(self) -> list[str | int]:
        """What its rows begin with."""
        return [int(self.word("objects")), self.word("page"), self.word("client")]

    @property
    def counted(self) -> bool:
        """It is no warm-up."""
        return self.plan.repeat >= 0

    @property
    def applied(self) -> list[WatchEvent]:
        """The watch events that changed a list."""
        return [event for event in self.reported.events if not event.dropped]


def answers(recorded: Recorded, folder: Path) -> list[Answers]:
    """Of every trial that was watched to its end."""
    wire = list(_wire(folder / "raw" / "requests.jsonl"))
    found = []
    for plan in recorded.trials:
        file = folder / "raw" / f"{plan.trial}-client.json"
        if not file.exists():
            continue
        try:
            kept = msgspec.json.decode(file.read_bytes(), type=_Kept)
        except msgspec.DecodeError as error:
            raise MeasurementError(f"{file}: {error}") from error
        offset = kept.offset_ns
        begin, end = (round(at * 1e6 + offset) for at in (kept.listed.begin, kept.listed.shown))
        wanted = {f"{one.cluster}{one.path}" for one in kept.listed.lists}
        mine = [one for one in wire if begin <= one.begin_ns <= end and _place(one.path) in wanted]
        found.append(Answers(plan, kept.listed, kept.reported, offset, mine))
    return found


def lifelines(each: Sequence[Answers], recorded: Recorded) -> Iterator[Lifeline]:
    """Pages, lists, and every object that was created while a page was watched that shows its kind."""
    known = {one.plan.trial: one for one in each}
    for one in each:
        yield from _of_page(one)
    first = {
        (one.plan.trial, RESOURCES.get(event.kind or "", ""), event.name or ""): event
        for one in each
        for event in reversed(one.applied)
    }
    for request in recorded.requests:
        found = known.get(request.trial)
        if found is None or request.op != CREATE or request.error:
            continue
        if request.resource not in map(str, LISTS_OF[found.word("page")]):
            continue
        line = Lifeline(request.trial, request.cluster, request.resource, request.namespace, request.name)
        line.marks[SENT] = Stamp(request.sent_ns, version=OWN)
        event = first.get((request.trial, request.resource, request.name))
        if event is not None:
            line.marks[marks.RECEIVED] = Stamp(found.ns(event.received), version=OWN)
            if event.shown is not None:
                line.marks[marks.SHOWN] = Stamp(found.ns(event.shown), version=OWN)
        yield line


def _of_page(one: Answers) -> Iterator[Lifeline]:
    def stamp(at: float) -> Stamp:
        return Stamp(one.ns(at), version=OWN)

    listed, trial = one.listed, one.plan.trial
    page = {marks.OPENED: stamp(listed.begin), marks.DRAWN: stamp(listed.shown)}
    yield Lifeline(trial, one.plan.clusters[0], marks.PAGE_RESOURCE, name=one.word("page"), marks=page)
    for request in listed.lists:
        own = {marks.OPENED: stamp(request.begin), marks.PARSED: stamp(request.parsed)}
        yield Lifeline(trial, request.cluster, marks.LIST_RESOURCE, name=request.path, marks=own)


def _wire(file: Path) -> Iterator[WireRequest]:
    if not file.exists():
        return
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            yield msgspec.convert(json.loads(line), WireRequest)
        except (ValueError, msgspec.ValidationError) as error:
            raise MeasurementError(f"{file}: {error}") from error


def _place(path: str) -> str:
    """`<cluster>/api/...` of the path of a request, without its query."""
    return path.removeprefix("/clusters/").partition("?")[0]
