"""A run folder of ours: the pods that a run with marks of its own has seen (`play`, `replay` and others)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fleet.errors import SpecError
from fleet.model.pod_marks import ENDED, ENTRY, RUNNING, SCHEDULED
from fleet.model.trace import Pod
from fleet.results import events
from fleet.results.folder import RunFolder
from fleet.trace.file import Trace
from fleet.trace.importers.importer import Machine, Told, trace
from fleet.trace.lives import Life, lines

PODS = "pods"
MOST_CODE = 255


class Run:
    """All counted trials, or the one that is named as `FOLDER#t001`."""

    name = "run"
    text = "a run folder of play, replay or another experiment with marks of its own; FOLDER#t001: one trial"

    def read(self, file: Path, machine: Machine) -> Trace:  # noqa: ARG002 - a run keeps no requests
        """As the protocol says; keys are those of the trace that was replayed, if any."""
        path, _, wanted = str(file).partition("#")
        folder = RunFolder.open(Path(path))
        lives: dict[tuple[str, str], Life] = {}
        counted: set[str] = set()
        begin: float | None = None
        last, complete = 0.0, True
        for line in folder.events():
            match line:
                case events.TrialPlan() if line.repeat >= 0 and wanted in ("", line.trial):
                    counted.add(line.trial)
                    last = line.ns / 1e9
                case events.Requested() if line.trial in counted:
                    begin = line.due_ns / 1e9 if begin is None else min(begin, line.due_ns / 1e9)
                case events.GapSeen():
                    complete = False
                case events.MarkSeen() if line.resource == PODS and line.trial in counted:
                    _take(lives, line)
                    last = max(last, line.ns / 1e9)
        if wanted and not counted:
            raise SpecError(f"has no counted trial {wanted!r}", file=path)
        seen = [life.created for life in lives.values() if life.created is not None]
        zero = min([*seen, *([begin] if begin is not None else [])], default=0.0)
        made = lines(lives.values(), zero)
        untold = {"requests": "a run keeps none", "owner": "a run keeps none", "priority": "a run keeps none"}
        clusters = sorted({life.cluster for life in lives.values()})
        told = Told(self.name, "receipt", complete, untold, made.left_out, clusters=clusters)
        return trace(told, _unique(made.pods), last - zero, Path(path))


def _take(lives: dict[tuple[str, str], Life], line: events.MarkSeen) -> None:
    life = lives.setdefault(
        (line.cluster, line.uid), Life(f"{line.cluster}/{line.namespace}/{line.name}", line.namespace, line.cluster)
    )
    moment = line.ns / 1e9
    match line.mark:
        case "created":
            life.created = moment
        case "deleted":
            life.deleted = moment
        case _ if line.mark == ENTRY:
            life.key = str(line.data)
        case _ if line.mark == SCHEDULED:
            life.bound, life.node = moment, str(line.data) if line.data else None
        case _ if line.mark == RUNNING:
            life.running = moment
        case _ if line.mark == ENDED:
            life.ended, life.succeeded = moment, line.data == 0
            life.exit = line.data if isinstance(line.data, int) and 0 <= line.data <= MOST_CODE else None


def _unique(pods: Sequence[Pod]) -> tuple[Pod, ...]:
    """Keys of several trials of one trace are the same: the second and later ones get a number."""
    seen: dict[str, int] = {}
    found = []
    for pod in pods:
        seen[pod.key] = seen.get(pod.key, 0) + 1
        found.append(pod if seen[pod.key] == 1 else pod.model_copy(update={"key": f"{pod.key}#{seen[pod.key]}"}))
    return tuple(found)


IMPORTER = Run()
