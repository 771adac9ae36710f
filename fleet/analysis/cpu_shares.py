"""Whose programs took the CPU of the counted trials: the system under test, the emulation around it, or the driver."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Literal, Protocol

from fleet.analysis.cpu_contention import at_or_before
from fleet.analysis.recorded import Recorded
from fleet.model.base import Model
from fleet.model.fleet_file import WEC, FleetFile
from fleet.model.manager_record import ManagerRecord
from fleet.results.events import HostSample, ProcessSample

Owner = Literal[
    "hub control planes", "manager", "agents", "platforms", "emulated WECs", "other programs", "driver", "outside"
]
OWNERS: tuple[Owner, ...] = (
    "hub control planes", "manager", "agents", "platforms", "emulated WECs", "other programs", "driver", "outside"
)  # fmt: skip
"""In the order they are shown. `other programs`: of the fleet, such as its monitoring; `outside`: of the host."""
EMULATION: frozenset[Owner] = frozenset({"emulated WECs"})
"""What a real fleet would have on other machines."""
_PLANE = frozenset({"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "containerd"})
_SHARED = frozenset({"dense", "engine", "dockerd"})
"""Programs that carry several WECs, where a fleet file does not say so (`Component.emulates`)."""
_OTHER = frozenset({"prometheus", "node-exporter"})


class Program(Protocol):
    """What says whose a program is: `ProcessSample` for one."""

    @property
    def component(self) -> str:
        """As in the fleet file."""
        ...

    @property
    def cluster(self) -> str:
        """Empty: it serves several."""
        ...


class CpuShare(Model):
    """One owner in the counted trials together."""

    owner: Owner
    cores: float
    """Mean number of cores that it kept busy."""
    share: float
    """Of all CPU time that was used in those trials."""
    seconds: float
    """CPU time."""


def cpu_shares(recorded: Recorded, fleet: FleetFile, manager: ManagerRecord) -> list[CpuShare]:
    """By owner, in the order of `OWNERS`; empty when nothing was sampled twice in a counted trial."""
    used: defaultdict[Owner, float] = defaultdict(float)
    elapsed = 0.0
    owner = _owners(fleet, manager)
    programs, hosts = _series(recorded.processes), _hosts(recorded.hosts)
    for plan in recorded.trials:
        if plan.repeat < 0:
            continue
        begin, end = recorded.span(plan)
        taken, seconds = _trial(programs, hosts, begin, end, owner)
        elapsed += seconds
        for whose, value in taken.items():
            used[whose] += value
    total = sum(used.values())
    if elapsed <= 0 or total <= 0:
        return []
    return [
        CpuShare(owner=whose, cores=used[whose] / elapsed, share=used[whose] / total, seconds=used[whose])
        for whose in OWNERS
        if used[whose] > 0
    ]


def by_owner(
    recorded: Recorded, fleet: FleetFile, manager: ManagerRecord
) -> Iterator[tuple[Owner, Sequence[ProcessSample]]]:
    """The samples of each process, by time, with whose it is."""
    owner = _owners(fleet, manager)
    for samples in _series(recorded.processes).values():
        yield owner(samples[-1]), samples


def _owners(fleet: FleetFile, manager: ManagerRecord) -> Callable[[ProcessSample], Owner]:
    """Whose a program of that fleet is."""
    roles = {cluster.name: cluster.role for cluster in fleet.clusters}
    emulation = {component.component for component in fleet.components if component.emulates}
    platforms = {component for platform in fleet.platforms for component in platform.components}

    def owner(sample: ProcessSample) -> Owner:
        return "platforms" if sample.component in platforms else owner_of(sample, roles, manager, emulation)

    return owner


def owner_of(
    sample: Program, roles: Mapping[str, str], manager: ManagerRecord, emulation: Collection[str] = _SHARED
) -> Owner:
    """Whose program it is; `roles` by cluster, `emulation` the components that play WECs or their nodes.

    A control plane's own programs belong to the hub or to the emulation. What else runs at a WEC is the manager's
    agent, or what plays the WEC's nodes; what else runs at the hub is the manager's.
    """
    component, role = sample.component, roles.get(sample.cluster, "")
    if component in _OTHER:
        return "other programs"
    if component in _SHARED or component in emulation:
        return "emulated WECs"
    if component in _PLANE:
        # The store of a shared process carries no cluster of its own.
        return "hub control planes" if role and role != WEC else "emulated WECs"
    if component in (*manager.agents, "link") or (role == WEC and component in manager.components):
        return "agents"
    if role == WEC:
        return "emulated WECs"
    return "manager" if role or component in manager.components else "other programs"


def carries_planes(component: str) -> bool:
    """Whether it is a part of a control plane, or a process of many of them."""
    return component in _PLANE or component in _SHARED


_Programs = Mapping[tuple[str, str, int], Sequence[ProcessSample]]


def _series(samples: Sequence[ProcessSample]) -> _Programs:
    found: defaultdict[tuple[str, str, int], list[ProcessSample]] = defaultdict(list)
    for sample in samples:
        found[sample.machine, sample.program, sample.pid].append(sample)
    return found


def _hosts(samples: Sequence[HostSample]) -> dict[str, dict[tuple[str, ...], list[HostSample]]]:
    found: dict[str, dict[tuple[str, ...], list[HostSample]]] = {}
    for sample in samples:
        found.setdefault(sample.host, {}).setdefault(tuple(sample.machines), []).append(sample)
    return found


def _trial(
    programs: _Programs,
    hosts: Mapping[str, Mapping[tuple[str, ...], Sequence[HostSample]]],
    begin: int,
    end: int,
    owner: Callable[[ProcessSample], Owner],
) -> tuple[dict[Owner, float], float]:
    """CPU seconds by owner, and the seconds that they were counted over, between the samples at both ends."""
    used: defaultdict[Owner, float] = defaultdict(float)
    bounds: list[tuple[int, int]] = []
    for samples in programs.values():
        former, now = at_or_before(samples, begin), at_or_before(samples, end)
        if now is None or now is former:
            continue
        # One that was not there at the first look has used all of it since.
        used[owner(now)] += now.cpu_seconds - (former.cpu_seconds if former else 0.0)
        if former is not None:
            bounds.append((former.ns, now.ns))
    fleet_seconds = sum(used.values())
    busy = 0.0
    for samplers in hosts.values():
        for number, looks in enumerate(samplers.values()):
            first, last = at_or_before(looks, begin) or looks[0], at_or_before(looks, end)
            if last is None or last.ns <= first.ns:
                continue
            used["driver"] += last.harness_seconds - first.harness_seconds
            busy += last.busy_seconds - first.busy_seconds if number == 0 else 0.0
            bounds.append((first.ns, last.ns))
    used["outside"] = max(0.0, busy - fleet_seconds - used["driver"])
    seconds = (max(b for _, b in bounds) - min(a for a, _ in bounds)) / 1e9 if bounds else 0.0
    return dict(used), seconds
