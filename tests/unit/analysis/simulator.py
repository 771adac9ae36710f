"""A small deterministic KubeStellar: emits the lines that a run would, with latencies that are known beforehand.

It keeps its own idea of the aggregate and of the marks, so that a mistake in `fleet.analysis` cannot hide behind the
same mistake here. Each line belongs to a stream (one watch of one cluster, or the driver); inside a stream the order
is fixed, between streams a test may shuffle.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from fleet.results.events import (
    Anomaly,
    Fact,
    HopSeen,
    Line,
    ObjectRef,
    Planned,
    RunMark,
    Seen,
    Sent,
    TrialPlan,
    WorkloadSeen,
)
from fleet.results.format1_manager import MANAGER

BINDINGS, WORKS, APPLIED, STATUSES = (row.resource for row in MANAGER.hops if row.resource)

WDS, ITS = "wds1", "its1"
START_NS = 1_000_000_000_000
START_WALL = 1_795_370_400_000_000_000
MS = 1_000_000
RESOURCES = {"deployment": ("apps", "deployments", "Deployment"), "pod": ("", "pods", "Pod")}
RESOURCES["configmap"] = ("", "configmaps", "ConfigMap")


@dataclass(frozen=True)
class Hops:
    """Milliseconds of each hop; the fan-out adds `per_wec` for each WEC after the first `free`."""

    bind: int = 2100
    package: int = 20
    per_wec: int = 400
    free: int = 5
    deliver: int = 60
    activate: int = 15
    ready: int = 1200
    report: int = 40
    finalize: int = 90
    jitter: int = 30


@dataclass
class Emitted:
    """Lines with their stream, and the true marks: {(op, cluster): {mark: ns}}, cluster empty for the object's."""

    lines: list[tuple[str, Line]] = field(default_factory=list)
    truth: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)

    def ordered(self) -> list[Line]:
        """As a driver would write them: by receipt, plans first."""
        return [line for _, line in sorted(self.lines, key=lambda pair: pair[1].ns)]

    def shuffled(self, rng: random.Random) -> list[Line]:
        """Any merge of the streams that keeps the order inside each; what the driver plans and sends comes first."""
        streams: dict[str, list[Line]] = {}
        for stream, line in sorted(self.lines, key=lambda pair: pair[1].ns):
            streams.setdefault(stream, []).append(line)
        merged = streams.pop("driver")
        left = [iter(lines) for lines in streams.values()]
        tickets = [it for it, lines in zip(left, streams.values(), strict=True) for _ in lines]
        rng.shuffle(tickets)
        return merged + [next(it) for it in tickets]


class Simulator:
    """Runs trials one after another on a made-up clock."""

    def __init__(self, *, seed: int = 1, hops: Hops | None = None, kind: str = "deployment") -> None:
        self.rng = random.Random(seed)  # noqa: S311 - the same run for the same seed
        self.hops = hops or Hops()
        self.kind = kind
        self.now = START_NS
        self.out = Emitted()
        self.trials = 0
        self._rv = 100
        self._generation: dict[str, int] = {}
        self._shown: dict[str, list[tuple[int, Any]]] = {}
        self._there: dict[tuple[str, str, str], tuple[str, Seen]] = {}
        """By cluster, hop and uid: the stream and the last line of what exists."""

    def clean(self, trial: str, *, left: str = "") -> None:
        """The driver deletes the trial's objects, and everything goes but the policies' own; `left`: what stays."""
        self._emit("driver", RunMark, self.now, step="clean", edge="begin", trial=trial)
        for key, (stream, line) in list(self._there.items()):
            if stream == "binding":
                continue
            self.now += MS // 10
            self._append(stream, replace(line, ns=self.now, wall=self._wall(self.now), rv=self._next_rv(),
                                         type="DELETED"))  # fmt: skip
            del self._there[key]
        if left:
            self._emit("driver", Anomaly, self.now, what="not-clean", trial=trial, text=left)
        self._emit("driver", RunMark, self.now + MS, step="clean", edge="end", trial=trial)
        self.now += 1000 * MS

    def trial(
        self, layout: str, clusters: list[str], *, objects: int = 1, repeat: int = 0, lost: frozenset[str] = frozenset()
    ) -> str:
        """One trial; the WECs in `lost` never get their objects. Returns its id."""
        name = f"t{self.trials:03d}"
        self.trials += 1
        self._emit("driver", TrialPlan, self.now, trial=name, layout=layout, wecs=len(clusters), repeat=repeat,
                   clusters=clusters, kind=self.kind)  # fmt: skip
        groups = [[c] for c in clusters] if layout == "one-to-one" else [clusters]
        planned = [self._plan(name, layout, members, number) for members in groups for number in range(objects)]
        sends = self.now + 10 * MS
        ends = [self._run(plan, sends + order * 5 * MS, lost, order) for order, plan in enumerate(planned)]
        self.now = max(ends) + 8_000 * MS
        return name

    def _plan(self, trial: str, layout: str, members: list[str], number: int) -> Planned:
        group, resource, _ = RESOURCES[self.kind]
        status = {"configmap": "none", "deployment": "aggregate", "pod": "report"}[self.kind]
        if layout == "one-to-one" and self.kind != "configmap":
            status = "copy"
        target = members[0] if layout == "one-to-one" else "all"
        ref = ObjectRef(group, resource, "fleet-run-x", f"{trial}-{target}-{number:03d}")
        plan = Planned(ns=self.now, wall=self._wall(self.now), trial=trial, op=f"op-{trial}-{target}-{number:03d}",
                       policy=f"fx-g00-{target}", ref=ref, clusters=members, status=status)  # fmt: skip
        self.out.lines.append(("driver", plan))
        return plan

    def _run(self, plan: Planned, t0: int, lost: frozenset[str], order: int) -> int:
        hops, truth = self.hops, self.out.truth.setdefault((plan.op, ""), {})
        uid, rv = f"uid-{plan.op}", self._next_rv()
        self._emit("driver", Sent, t0, op=plan.op, scheduled_ns=t0 - 4 * MS, sent_ns=t0 - 3 * MS, code=201, uid=uid,
                   rv=rv)  # fmt: skip
        self._workload("wds", WDS, plan, t0 + MS, uid=uid, rv=rv, first=True)
        truth["created"] = t0 + MS
        bound = t0 + (hops.bind + self._jitter()) * MS
        generation = self._generation.get(plan.policy, 1) + 1
        self._generation[plan.policy] = generation
        self._emit("binding", HopSeen, bound, hop="bound", resource=BINDINGS, cluster=WDS, type="MODIFIED",
                   uid=f"uid-{plan.policy}", rv=self._next_rv(), name=plan.policy, policy=plan.policy,
                   version=generation, facts=[Fact(("rv", rv, *identity(plan.ref)))],
                   targets=plan.clusters)  # fmt: skip
        truth["bound"] = bound
        statuses: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        for index, cluster in enumerate(plan.clusters):
            rank = max(0, index + order - hops.free)
            at = bound + (hops.package + rank * hops.per_wec + self._jitter()) * MS
            if cluster not in lost:
                statuses[cluster] = self._one_wec(plan, cluster, generation, at)
        end = self._return(plan, uid, statuses)
        return max(end, bound)

    def _one_wec(self, plan: Planned, cluster: str, generation: int, at: int) -> list[tuple[int, dict[str, Any]]]:
        """ManifestWork, AppliedManifestWork, object and its statuses in one WEC; the WorkStatuses it leads to."""
        hops, truth = self.hops, self.out.truth.setdefault((plan.op, cluster), {})
        work, work_uid = f"bu-{WDS}-uid-{plan.op}", f"mw-{plan.op}-{cluster}"
        for moment, type_ in ((at, "ADDED"), (at + 90 * MS, "MODIFIED")):
            self._emit("work", HopSeen, moment, hop="packaged", resource=WORKS, cluster=ITS, type=type_, uid=work_uid,
                       rv=self._next_rv(), namespace=cluster, name=work, policy=plan.policy, source=WDS,
                       version=generation, facts=[Fact(("op", plan.op), cluster)],
                       gives=[("work", cluster, work), ("work-uid", work_uid)], server=self._server(at))  # fmt: skip
        truth["packaged"] = at
        delivered = at + (hops.deliver + self._jitter()) * MS
        amw, uid = f"amw-{plan.op}-{cluster}", f"obj-{plan.op}-{cluster}"
        for moment, applied in ((delivered, []), (delivered + 70 * MS, [uid])):
            self._emit(f"amw-{cluster}", HopSeen, moment, hop="delivered", resource=APPLIED, cluster=cluster, uid=amw,
                       rv=self._next_rv(), type="MODIFIED" if applied else "ADDED", name=f"hash-{work}",
                       facts=[Fact(("work", cluster, work), cluster)], server=self._server(delivered))  # fmt: skip
        truth["delivered"] = delivered
        activated = delivered + (hops.activate + self._jitter()) * MS
        place = f"obj-{cluster}"
        self._workload(place, cluster, plan, activated, uid=uid, first=True)
        self._workload(place, cluster, plan, activated + 5 * MS, uid=uid, owners=[amw])
        truth["activated"] = activated
        if self.kind == "configmap":
            return []
        ready = activated + (hops.ready + self._jitter()) * MS
        early, final = self._status(final=False), self._status(final=True)
        self._workload(place, cluster, plan, activated + 40 * MS, uid=uid, owners=[amw], status=early)
        self._workload(place, cluster, plan, ready, uid=uid, owners=[amw], status=final)
        truth["ready"] = ready
        reported = ready + (hops.report + self._jitter()) * MS
        truth["reported"] = reported
        returned = [(activated + 80 * MS, early), (reported, final)]
        for moment, status in [(activated + 70 * MS, None), *returned]:
            about = ("work-uid", work_uid, *identity(plan.ref))
            self._emit("status", HopSeen, moment, hop="reported", resource=STATUSES, cluster=ITS,
                       type="MODIFIED" if status else "ADDED", uid=f"ws-{plan.op}-{cluster}", rv=self._next_rv(),
                       namespace=cluster, name=f"{amw}-x", facts=[Fact(about, cluster, status=status)])  # fmt: skip
        return returned

    def _return(self, plan: Planned, uid: str, reports: dict[str, list[tuple[int, dict[str, Any]]]]) -> int:
        """What the status controller writes to the WDS after each WorkStatus."""
        changes = sorted((at, wec, number) for wec, some in reports.items() for number, (at, _) in enumerate(some))
        end = max((at for at, _, _ in changes), default=0)
        if plan.status not in ("copy", "aggregate"):
            return end
        latest: dict[str, dict[str, Any]] = {}
        previous: Any = None
        for at, cluster, number in changes:
            latest[cluster] = reports[cluster][number][1]
            status = next(iter(latest.values())) if len(latest) == 1 else _smallest(list(latest.values()))
            if status == previous:
                continue
            previous = status
            shown = at + self.hops.finalize * MS
            self._shown.setdefault(plan.op, []).append((shown, status))
            self._workload("wds", WDS, plan, shown, uid=uid, status=status)
            end = max(end, shown)
        complete = {c: r[-1] for c, r in reports.items()}
        if len(complete) == len(plan.clusters):
            last = max(at for at, _ in complete.values())
            self.out.truth[plan.op, ""]["finalized"] = self._true_end(plan, last, latest)
        return end

    def _true_end(self, plan: Planned, last: int, latest: dict[str, dict[str, Any]]) -> int:
        values = list(latest.values())
        wanted = values[0] if len(values) == 1 else _smallest(values)
        shown = self._shown.pop(plan.op)
        for index in range(len(shown) - 1, -1, -1):
            if shown[index][1] == wanted and (index == 0 or shown[index - 1][1] != wanted):
                return max(shown[index][0], last)
        raise AssertionError("the simulator never showed the final status")

    def _status(self, *, final: bool) -> dict[str, Any]:
        stamp = f"2026-11-22T18:0{self.rng.randrange(10)}:0{self.rng.randrange(10)}Z"
        if self.kind == "pod":
            phase = "Running" if final else "Pending"
            ready = [{"type": "Ready", "status": "True", "lastTransitionTime": stamp}] if final else []
            return {"phase": phase, "conditions": ready, "podIP": f"10.0.0.{self.rng.randrange(250)}"}
        counters = {"readyReplicas": 1, "availableReplicas": 1} if final else {"unavailableReplicas": 1}
        reason = "NewReplicaSetAvailable" if final else "ReplicaSetUpdated"
        condition = {"type": "Progressing", "status": "True", "reason": reason, "lastUpdateTime": stamp}
        return {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, **counters, "conditions": [condition]}

    def _workload(self, stream: str, cluster: str, plan: Planned, at: int, *, uid: str, rv: str = "",
                  first: bool = False, owners: list[str] | None = None, status: Any = None) -> None:  # fmt: skip
        self._emit(stream, WorkloadSeen, at, cluster=cluster, type="ADDED" if first else "MODIFIED", uid=uid,
                   rv=rv or self._next_rv(), ref=plan.ref, op=plan.op, generation=1, owners=owners or [],
                   status=status, replicas=1 if self.kind == "deployment" else None,
                   server=self._server(at))  # fmt: skip

    def _emit(self, stream: str, line: type[Any], at: int, /, **fields: Any) -> None:
        self._append(stream, line(ns=at, wall=self._wall(at), **fields))

    def _append(self, stream: str, line: Line) -> None:
        self.out.lines.append((stream, line))
        if isinstance(line, Seen):
            self._there[line.cluster, line.hop if isinstance(line, HopSeen) else "", line.uid] = stream, line

    def _wall(self, ns: int) -> int:
        return START_WALL + ns - START_NS

    def _server(self, ns: int) -> str:
        seconds = (ns - START_NS) // 1_000_000_000 % 3600
        return f"2026-11-22T18:{seconds // 60:02d}:{seconds % 60:02d}Z"

    def _next_rv(self) -> str:
        self._rv += 1
        return str(self._rv)

    def _jitter(self) -> int:
        return self.rng.randrange(self.hops.jitter + 1)


def identity(ref: ObjectRef) -> tuple[str, str, str, str]:
    """As it stands behind a key."""
    return ref.group, ref.resource, ref.namespace, ref.name


def _smallest(statuses: list[dict[str, Any]]) -> dict[str, Any]:
    """KubeStellar's aggregate for Deployments, the long way round, as an API server then shows it."""
    result: dict[str, Any] = {}
    for key in ("replicas", "updatedReplicas", "availableReplicas", "readyReplicas", "observedGeneration"):
        present = [status[key] for status in statuses if key in status]
        if present:
            result[key] = min(present)
    blocked = [status["unavailableReplicas"] for status in statuses if "unavailableReplicas" in status]
    if blocked:
        result["unavailableReplicas"] = max(blocked)
    return result
