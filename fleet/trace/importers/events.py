"""Events of a cluster (`kubectl get events -A -o json`, or one Event a line): what they record of pods.

A controller's SuccessfulCreate has owner and creation, Scheduled the node, Started when it ran, Killing, Preempted
and Evicted an end that somebody else brought. No event says that a batch pod is done: its end stays open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from fleet.errors import SpecError
from fleet.model.trace import Owner
from fleet.trace.file import Trace
from fleet.trace.importers.importer import Machine, Told, documents, numbered, stamp, trace
from fleet.trace.lives import Life, lines

WHOLE_LIMIT = 1 << 30
"""Bytes of a List in one document."""
_CREATED = re.compile(r"Created pod: ([a-z0-9.-]{1,253})")
_ASSIGNED = re.compile(r"Successfully assigned (?:\S+)/(?:\S+) to ([a-z0-9.-]{1,253})")
_UNTOLD = {
    "exit": "no event carries an exit code",
    "requests": "no event carries requests",
    "priority": "no event carries a priority",
}


class Events:
    """Of one cluster."""

    name = "events"
    text = "Events of a cluster: `kubectl get events -A -o json`, or one Event a line"

    def read(self, file: Path, machine: Machine) -> Trace:  # noqa: ARG002 - no event carries requests
        """As the protocol says."""
        lives: dict[tuple[str, str], Life] = {}
        moments: list[float] = []
        for number, event in _events(file):
            moment = _moment(event, file, number)
            if moment is None:
                raise SpecError("has neither eventTime nor a timestamp", file=file, line=number, field="eventTime")
            moments.append(moment)
            _take(lives, event, moment)
        zero = min(moments, default=0.0)
        made = lines(lives.values(), zero)
        notes = ["an inexact t is the moment of Scheduled, or of Started", "an API server keeps events for an hour",
                 "a pod that completed by itself shows no end"]  # fmt: skip
        told = Told(self.name, "object-s", complete=False, untold=_UNTOLD, left_out=made.left_out, notes=notes)
        return trace(told, made.pods, max(moments, default=0.0) - zero, file)


def _events(file: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Each Event with its line, or its number in a List."""
    first = next(numbered(file), None)
    if first is None:
        raise SpecError("is empty", file=file)
    try:
        single = isinstance(orjson.loads(first[1]), dict)
    except orjson.JSONDecodeError:
        single = False
    if single and orjson.loads(first[1]).get("kind") != "List":
        for number, event in documents(file):
            yield number, _checked(event, file, number)
        return
    size, parts = 0, []
    for _, line in numbered(file):
        size += len(line)
        if size > WHOLE_LIMIT:
            raise SpecError(f"is larger than {WHOLE_LIMIT >> 20} MiB in one document", file=file)
        parts.append(line)
    try:
        whole = orjson.loads(b"".join(parts))
    except orjson.JSONDecodeError as error:
        raise SpecError(f"is not JSON: {error.msg}", file=file, line=error.lineno) from error
    items = whole.get("items") if isinstance(whole, dict) else None
    if not isinstance(items, list):
        raise SpecError("must be a List of Events", file=file, field="items")
    for at, event in enumerate(items):
        yield at, _checked(event, file, None, f"items.{at}.")


def _checked(event: Any, file: Path, line: int | None, prefix: str = "") -> Mapping[str, Any]:
    if not isinstance(event, Mapping) or event.get("kind") not in ("Event", None):
        raise SpecError("is no Event", file=file, line=line, field=f"{prefix}kind")
    if not isinstance(event.get("involvedObject", event.get("regarding")), Mapping):
        raise SpecError("is missing", file=file, line=line, field=f"{prefix}involvedObject")
    return event


def _moment(event: Mapping[str, Any], file: Path, number: int) -> float | None:
    for name in ("eventTime", "firstTimestamp", "lastTimestamp"):
        moment = stamp(event.get(name), file, number, name)
        if moment is not None:
            return moment
    return None


def _take(lives: dict[tuple[str, str], Life], event: Mapping[str, Any], moment: float) -> None:
    about = event.get("involvedObject") or event.get("regarding") or {}
    namespace, name = str(about.get("namespace", "")), str(about.get("name", ""))
    reason, text = event.get("reason"), str(event.get("message") or event.get("note") or "")

    def life(of: str) -> Life:
        return lives.setdefault((namespace, of), Life(f"{namespace}/{of}", namespace))

    if about.get("kind") != "Pod":
        made = _CREATED.match(text) if reason == "SuccessfulCreate" else None
        if made is not None:
            one = life(made[1])
            one.created, one.owner = _first(one.created, moment), Owner(kind=str(about.get("kind")), name=name)
        return
    match reason:
        case "Scheduled":
            one = life(name)
            one.bound = _first(one.bound, moment)
            node = _ASSIGNED.match(text)
            one.node = node[1] if node else one.node
        case "Started":
            one = life(name)
            one.running = _first(one.running, moment)
        case "Killing":
            one = life(name)
            one.deleted = _first(one.deleted, moment)
        case "Evicted" | "Preempted":
            one = life(name)
            one.deleted, one.evicted = _first(one.deleted, moment), True
        case _:
            return


def _first(known: float | None, moment: float) -> float:
    return moment if known is None else min(known, moment)


IMPORTER = Events()
