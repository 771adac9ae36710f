"""The pods of each load, as bodies to be created, and what else a load needs."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fleet.experiments.scheduler_throughput.spec import GROUPS, Load

APPLICATION = "applicationId"
"""Label by which YuniKorn knows what belongs together; the other schedulers only meet it in affinities."""
HOSTNAME, ROLE = "kubernetes.io/hostname", "kubernetes.io/role"
"""Labels of nodes; all simulated ones have one role, so that its neighbourhood is the whole cluster."""
PRIMER = "primer"
TAINT = "scheduler-throughput.fleet-testbed"
"""Its keys begin so, and end with the number of the node."""
_LABELS = {"app": "scheduler-throughput", "queue": "root.default"}
Body = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """What bodies are made for."""

    namespace: str
    labels: Mapping[str, str]
    """Of the run and the trial."""
    prefix: str
    """Names begin so: a trial's id."""
    scheduler: str
    nodes: Sequence[str]
    """Names of the nodes, which are their host names too."""
    classes: Sequence[str] = ()
    """Names of the PriorityClasses."""
    seed: int = 1


def pods(load: Load, count: int, setting: Setting) -> list[Body]:
    """All of them; their names ascend in the order in which they are created."""
    chance = random.Random(f"{setting.seed}/{load}/{count}")  # noqa: S311 - the same in every trial of a load
    match load:
        case "taints":
            return _tolerating(count, setting, chance)
        case "affinity":
            return _drawn_to(count, setting, chance)
        case "priority":
            drawn = [chance.choice(setting.classes) for _ in range(count)]
            return [_pod(setting, n, str(n), {"priorityClassName": name}) for n, name in enumerate(drawn)]
        case _:
            groups = GROUPS[load]
            return [_pod(setting, n, str(n * groups // count), {}) for n in range(count)]


def deployments(load: Load, count: int, setting: Setting) -> list[Body]:
    """One per group; their replicas come to `count`."""
    groups = GROUPS[load]
    made = []
    for group in range(groups):
        name = f"{setting.prefix}-{group:02d}"
        meta = {"labels": {**_LABELS, **setting.labels, APPLICATION: name}}
        replicas = count * (group + 1) // groups - count * group // groups
        selector = {"matchLabels": {APPLICATION: name}}
        template = {"metadata": meta, "spec": _spec(setting, {})}
        made.append(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": name, "namespace": setting.namespace, "labels": dict(setting.labels)},
                "spec": {"replicas": replicas, "selector": selector, "template": template},
            }
        )
    return made


def primer(setting: Setting) -> Body:
    """A pod that shows that the scheduler works; it tolerates everything."""
    body = _pod(setting, 0, PRIMER, {"tolerations": [{"operator": "Exists"}]})
    return {**body, "metadata": {**body["metadata"], "name": f"{setting.prefix}-{PRIMER}"}}


def priority_class(name: str, value: int, labels: Mapping[str, str]) -> Body:
    """One whose pods displace no others."""
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name, "labels": dict(labels)},
        "value": value,
        "preemptionPolicy": "Never",
    }


def taint(number: int) -> dict[str, str]:
    """Of the node of that number."""
    return {"key": f"{TAINT}/{number:05d}", "value": "node", "effect": "NoSchedule"}


def without(taints: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Taints of a node that are not this experiment's."""
    return [one for one in taints if not str(one.get("key", "")).startswith(f"{TAINT}/")]


def _tolerating(count: int, setting: Setting, chance: random.Random) -> list[Body]:
    """Each pod tolerates the taint of one node. Nodes are dealt, not drawn: a drawn one may get more pods than fit."""
    dealt = [n % len(setting.nodes) for n in range(count)]
    chance.shuffle(dealt)
    tolerations = [[{"key": taint(node)["key"], "operator": "Exists"}] for node in dealt]
    return [_pod(setting, n, str(n), {"tolerations": one}) for n, one in enumerate(tolerations)]


def _drawn_to(count: int, setting: Setting, chance: random.Random) -> list[Body]:
    """A quarter must go to, or keep away from, two nodes; a quarter prefers that; a half prefers, or shuns, the
    neighbourhood of two other pods.

    Those that must go to two nodes come first: nodes that others have filled would leave them pending forever, and a
    scheduler that packs fills nodes with those that must keep away from two.
    """
    made = []
    quarter = count // 4
    for n in range(count):
        first = n < quarter // 2 if n < quarter else n % 2 == 0
        operator = "In" if first else "NotIn"
        hosts = {"key": HOSTNAME, "operator": operator, "values": _two(setting.nodes, chance)}
        if n < quarter:
            terms = {"nodeSelectorTerms": [{"matchExpressions": [hosts]}]}
            affinity: Body = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
        elif n < 2 * quarter:
            term = {"weight": 1, "preference": {"matchExpressions": [hosts]}}
            affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}}
        else:
            others = [f"{setting.prefix}-{chance.randrange(count)}" for _ in range(2)]
            selector = {"matchExpressions": [{"key": APPLICATION, "operator": operator, "values": others}]}
            near = {"labelSelector": selector, "topologyKey": ROLE}
            term = {"weight": 100, "podAffinityTerm": near}
            affinity = {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}}
        made.append(_pod(setting, n, str(n), {"affinity": affinity}))
    return made


def _two(among: Sequence[str], chance: random.Random) -> list[str]:
    return sorted({chance.choice(among), chance.choice(among)})


def _pod(setting: Setting, number: int, application: str, more: Mapping[str, Any]) -> Body:
    labels = {**_LABELS, **setting.labels, APPLICATION: f"{setting.prefix}-{application}"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{setting.prefix}-{number:06d}", "namespace": setting.namespace, "labels": labels},
        "spec": _spec(setting, more),
    }


def _spec(setting: Setting, more: Mapping[str, Any]) -> Body:
    """No requests, as upstream: a node is full when it has as many pods as it takes."""
    return {
        "schedulerName": setting.scheduler,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "sleep300", "image": "alpine:latest"}],
        **more,
    }
