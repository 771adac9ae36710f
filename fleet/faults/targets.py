"""What the word of `target` means: control planes, programs, a share of the WECs, machines, the whole fleet.

Some words mean something under every manager, so that one fault can be compared between managers (`meant`):

    source, transport, hub      control planes: where objects are created, through which they travel, both
    etcd.source and so on       that program of these control planes
    agents                      the manager's programs that run once per WEC; with a share those of so many WECs
    manager                     its other programs
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from fleet.errors import UsageError
from fleet.faults.fault import Aim, Chosen
from fleet.model.during import Action
from fleet.model.fleet_file import Cluster, Component, FleetFile
from fleet.model.manager_record import ManagerRecord
from fleet.model.model_errors import nearest, shown

WECS, FLEET = "wecs", "fleet"
AGENTS, MANAGER = "agents", "manager"
SERVING = frozenset({"etcd", "kube-apiserver"})
"""Without one of these a control plane does not answer."""
SHARED = frozenset({"dense", "etcd"})
"""Without a cluster of their own these carry every control plane of the machine's dense processes."""
OWN = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
"""Components of a control plane of the driver `process`."""


def chooser(seed: str) -> Chosen:
    """Chooses by that seed: the same names for the same seed."""

    def choose(names: list[str], share: str | None) -> list[str]:
        if share is None:
            return names
        count = max(1, math.floor(len(names) * Fraction(share) + Fraction(1, 2)))
        return sorted(random.Random(seed).sample(names, min(count, len(names))))  # noqa: S311 - a schedule, no secret

    return choose


@dataclass(frozen=True)
class Found:
    """What a target names."""

    clusters: tuple[Cluster, ...] = ()
    program: Component | None = None


def meant(wanted: Action, fleet: FleetFile, manager: ManagerRecord, chosen: Chosen) -> list[str]:
    """The control planes or programs that such a word stands for here; any other target is itself. UsageError where
    this manager has none."""
    target = wanted.target
    if target in {cluster.name for cluster in fleet.clusters} | {part.program for part in fleet.components}:
        return [target]
    component, _, role = target.rpartition(".")
    planes = {"source": fleet.sources(), "transport": fleet.transports(), "hub": fleet.hub()}
    if role in planes:
        names = [f"{component}.{plane.name}" if component else plane.name for plane in planes[role]]
    elif target in (AGENTS, MANAGER):
        wecs = chosen([wec.name for wec in fleet.wecs()], wanted.share) if target == AGENTS else []
        names = [
            part.program
            for part in fleet.components
            if part.component in manager.components
            and (part.component in manager.agents) == (target == AGENTS)
            and (target == MANAGER or part.cluster in ("", *wecs))
        ]
    else:
        return [target]
    if not names:
        raise UsageError(f"the fleet {fleet.name} has no {target} (its manager is {manager.shown})")
    return names


def together(aims: Sequence[Aim]) -> list[Aim]:
    """Aims of one fault on several targets as one per machine. UsageError for a fault that knows more of a target than
    what it is: that one is done to one at a time."""
    found: dict[str, Aim] = {}
    for aim in aims:
        former = found.get(aim.machine)
        if former is None:
            found[aim.machine] = aim
            continue
        if aim.facts:
            raise UsageError(f"{aim.action} is done to one target at a time: name {former.target} or {aim.target}")
        lists = ("planes", "parts", "clusters", "programs")
        both = {name: [*dict.fromkeys((*getattr(former, name), *getattr(aim, name)))] for name in lists}
        found[aim.machine] = former.model_copy(update={**both, "repair": f"fleet up --fleet {aim.fleet}"})
    return list(found.values())


def find(wanted: Action, fleet: FleetFile, chosen: Chosen) -> Found:
    """The control planes or the program of a target; UsageError when there is none of that name."""
    target = wanted.target
    if target == WECS:
        wecs = {cluster.name: cluster for cluster in fleet.wecs()}
        if not wecs:
            raise UsageError(f"the fleet {fleet.name} has no WECs")
        return Found(tuple(wecs[name] for name in chosen(list(wecs), wanted.share)))
    for cluster in fleet.clusters:
        if cluster.name == target:
            return Found((cluster,))
    for component in fleet.components:
        if component.program == target:
            return Found(program=component)
    names = [*(cluster.name for cluster in fleet.clusters), *(part.program for part in fleet.components), WECS]
    raise UsageError(f"the fleet {fleet.name} has no control plane or program {shown(target)}{nearest(target, names)}")


def of_planes(wanted: Action, clusters: Sequence[Cluster], fleet: FleetFile, repair: str = "") -> list[Aim]:
    """One aim per machine on whole control planes, which the fleet must have built."""
    by_machine: defaultdict[str, list[str]] = defaultdict(list)
    for cluster in clusters:
        if not cluster.built:
            raise UsageError(
                f"{cluster.name} was not built by this testbed (driver {cluster.driver}): it cannot {wanted.action} it"
            )
        by_machine[cluster.machine].append(cluster.name)
    return [
        Aim(
            action=wanted.action,
            target=wanted.target,
            fleet=fleet.name,
            machine=machine,
            planes=names,
            clusters=names,
            programs=[part.program for part in fleet.components if part.cluster in names],
            settings=wanted.settings,
            repair=repair or f"fleet up --fleet {fleet.name}",
        )
        for machine, names in by_machine.items()
    ]


def of_programs(wanted: Action, programs: Sequence[Component], fleet: FleetFile) -> list[Aim]:
    """One aim per machine on programs, with the control planes that do not answer without them."""
    by_machine: defaultdict[str, list[Component]] = defaultdict(list)
    for program in programs:
        by_machine[program.machine].append(program)
    return [
        Aim(
            action=wanted.action,
            target=wanted.target,
            fleet=fleet.name,
            machine=machine,
            parts=[part.program for part in parts],
            clusters=sorted({name for part in parts for name in _taken(part, fleet)}),
            programs=[part.program for part in parts],
            settings=wanted.settings,
            repair=f"fleet up --fleet {fleet.name}",
        )
        for machine, parts in by_machine.items()
    ]


def own_programs(wanted: Action, found: Found, fleet: FleetFile) -> list[Component]:
    """The program of a target, or all programs of its control planes. UsageError for one of a dense process, which has
    none of its own."""
    if found.program is not None:
        return [found.program]
    parts = []
    for cluster in found.clusters:
        own = [p for p in fleet.components if p.cluster == cluster.name and p.component in OWN]
        if not own:
            raise UsageError(
                f"{cluster.name} has no processes of its own (driver {cluster.driver}), and {wanted.action} needs them:"
                " name a program such as dense.0, which takes all its control planes with it, or use `stop`"
            )
        parts += own
    return parts


def machine_of(wanted: Action, fleet: FleetFile) -> str:
    """The machine that a target names."""
    names = [machine.name for machine in fleet.machines]
    if wanted.target not in names:
        raise UsageError(f"the fleet {fleet.name} has no machine {shown(wanted.target)}{nearest(wanted.target, names)}")
    return wanted.target


def plane_of(wanted: Action, fleet: FleetFile) -> Cluster:
    """The one control plane that a target names, which the fleet must have built."""
    for cluster in fleet.clusters:
        if cluster.name == wanted.target:
            if not cluster.built:
                raise UsageError(f"{cluster.name} was not built by this testbed (driver {cluster.driver})")
            return cluster
    close = nearest(wanted.target, [cluster.name for cluster in fleet.clusters])
    raise UsageError(f"the fleet {fleet.name} has no control plane {shown(wanted.target)}{close}")


def _taken(component: Component, fleet: FleetFile) -> list[str]:
    if component.cluster:
        return [component.cluster] if component.component in SERVING else []
    if component.component not in SHARED:
        return []
    apart = {other.cluster for other in fleet.components if other.component in SERVING}
    here = [wec for wec in fleet.wecs() if wec.built and wec.machine == component.machine]
    return [wec.name for wec in here if wec.name not in apart]
