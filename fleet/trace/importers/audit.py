"""Audit logs of an API server (audit.k8s.io/v1, JSON lines): what each level records of pods.

At Metadata a creation by generateName names nobody: the pod is first seen by its binding, and its `t` is inexact. From
Request on, patches of `pods/status` say when it ran and how it ended; from RequestResponse on, creations have name,
owner and requests. All stamps are the server's own, in microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet.errors import SpecError
from fleet.trace.file import Trace
from fleet.trace.importers.importer import Machine, Told, documents, stamp, trace
from fleet.trace.lives import Life, exit_code, lines, phase, read_spec, was_evicted

ANONYMOUS = "creations whose name the audit level does not record; their pods begin with their binding"
OK = range(200, 300)
_FULL = ("Request", "RequestResponse")


class Audit:
    """One log of one API server."""

    name = "audit"
    text = "an API server's audit log, JSON lines (audit.k8s.io/v1)"

    def read(self, file: Path, machine: Machine) -> Trace:  # noqa: ARG002 - requests are reported as they are
        """As the protocol says."""
        log = _Log(file)
        for number, event in documents(file):
            log.take(number, event)
        return log.trace()


class _Log:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._lives: dict[tuple[str, str], Life] = {}
        self._over: list[Life] = []
        self._anonymous = 0
        self._first: float | None = None
        self._last = 0.0
        self._statuses = False
        self._owners = False

    def take(self, number: int, event: Mapping[str, Any]) -> None:
        """One line."""
        if event.get("kind") != "Event" or not str(event.get("apiVersion", "")).startswith("audit.k8s.io/"):
            raise SpecError("is no audit event (audit.k8s.io)", file=self._file, line=number, field="kind")
        if event.get("stage") != "ResponseComplete":
            return
        moment = stamp(event.get("stageTimestamp"), self._file, number, "stageTimestamp")
        if moment is None:
            raise SpecError("is missing", file=self._file, line=number, field="stageTimestamp")
        self._first = moment if self._first is None else min(self._first, moment)
        self._last = max(self._last, moment)
        reference = _map(event, "objectRef")
        if reference.get("resource") != "pods" or _map(event, "responseStatus").get("code", 0) not in OK:
            return
        self._pod(event, reference, moment)

    def _pod(self, event: Mapping[str, Any], reference: Mapping[str, Any], moment: float) -> None:
        sent, answered = _map(event, "requestObject"), _map(event, "responseObject")
        namespace = str(reference.get("namespace", ""))
        # At Metadata the reference of a creation has the name only when the request had one.
        name = str(reference.get("name") or _map(answered, "metadata").get("name") or "")
        match (event.get("verb"), reference.get("subresource") or ""):
            case ("create", ""):
                if not name:
                    self._anonymous += 1
                    return
                life = self._life(namespace, name, fresh=True)
                life.created = moment
                read_spec(life, answered or sent)
                self._owners = self._owners or bool(answered)
            case ("create", "binding"):
                life = self._life(namespace, name)
                life.bound = moment
                target = _map(sent, "target").get("name")
                life.node = str(target) if target else life.node
            case ("create", "eviction"):
                self._life(namespace, name).evicted = True
            case ("patch" | "update", "status"):
                self._statuses = self._statuses or event.get("level") in _FULL
                self._status(self._life(namespace, name), sent, answered, moment)
            case ("delete", ""):
                life = self._life(namespace, name)
                # A kubelet's own last delete, with grace 0, follows the one that was requested.
                life.deleted = moment if life.deleted is None else life.deleted
            case _:
                return

    def _status(self, life: Life, sent: Mapping[str, Any], answered: Mapping[str, Any], moment: float) -> None:
        said = phase(sent) or phase(answered)
        whole = answered or sent
        if said == "Running" and life.running is None:
            life.running = moment
        elif said in ("Succeeded", "Failed") and life.ended is None and life.deleted is None:
            life.ended, life.succeeded = moment, said == "Succeeded"
            life.exit = exit_code(whole)
        life.evicted = life.evicted or was_evicted(whole)

    def _life(self, namespace: str, name: str, *, fresh: bool = False) -> Life:
        found = self._lives.get((namespace, name))
        if found is None or (fresh and found.created is not None):
            if found is not None:  # the name was used again
                self._over.append(found)
            key = f"{namespace}/{name}" + (f"#{len(self._over)}" if found is not None else "")
            found = self._lives[namespace, name] = Life(key, namespace)
        return found

    def trace(self) -> Trace:
        """All of it; SpecError without a pod."""
        zero = self._first or 0.0
        made = lines([*self._over, *self._lives.values()], zero)
        untold = {}
        if not self._statuses:
            untold = {
                "life": "no body of pods/status: the log's level is below Request there",
                "exit": "as life",
                "wait": "as life",
            }
        if not self._owners:
            reason = "no body of an answer to a creation: the log's level is below RequestResponse there"
            untold |= {"owner": reason, "requests": reason, "priority": reason}
        notes = ["an inexact t is the moment of the binding"] if any(pod.inexact for pod in made.pods) else []
        left = {**made.left_out, ANONYMOUS: self._anonymous}
        told = Told(Audit.name, "audit-us", not self._anonymous, untold, left, notes)
        return trace(told, made.pods, self._last - zero, self._file)


def _map(item: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = item.get(name)
    return value if isinstance(value, Mapping) else {}


IMPORTER = Audit()
