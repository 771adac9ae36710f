"""What `fleet status` knows: rows of clusters and programs, totals of memory, and what is not well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class ClusterRow:
    """One control plane as it answered."""

    name: str
    role: str
    driver: str
    machine: str
    server: str
    ready: bool
    registered: str = ""
    """The manager's word for how a WEC stands with it, such as Available; `?`: it cannot be read. Empty for the hub's
    own clusters, and where there is nothing to register at."""
    unregistered: str = ""
    """What is wrong with that, as the rest of a sentence; empty when nothing is."""
    nodes_ready: int = 0
    nodes: int = 0
    problem: str = ""


@dataclass(frozen=True)
class ProgramRow:
    """One program of a machine. Memory is PSS in bytes, CPU a share of one core over the time of the look."""

    name: str
    component: str
    cluster: str
    machine: str
    state: str
    pid: int = 0
    uptime: float = 0.0
    cpu: float = 0.0
    pss: int = 0
    fds: int = 0
    version: str = ""
    argv: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class MachineRow:
    """Memory of one machine in bytes; `looked` is False for a machine that is not reached."""

    name: str
    looked: bool
    total: int = 0
    available: int = 0
    problem: str = ""
    """Why a machine was not looked at."""


@dataclass(frozen=True)
class Status:
    """The whole picture of one fleet."""

    fleet: str
    file: str
    created: str
    toolchain: str
    manager: str
    clusters: list[ClusterRow]
    programs: list[ProgramRow]
    machines: list[MachineRow]
    wec_nodes: int = 1
    terms: Mapping[str, str] = field(default_factory=dict)
    """What the manager calls the clusters of a role."""
    incomplete: str = ""
    """What `site.yml` is doing, or where it ended; empty for a complete fleet."""

    def problems(self) -> list[str]:
        """One sentence for each thing that is not well; empty when all is."""
        found = [self.incomplete] if self.incomplete else []
        found += [f"machine {row.name}: {row.problem}" for row in self.machines if row.problem]
        for cluster in self.clusters:
            if not cluster.ready:
                found.append(f"{cluster.name}: its API server is not ready{_reason(cluster.problem)}")
            elif cluster.role == "wec":
                if cluster.unregistered:
                    found.append(f"{cluster.name}: {cluster.unregistered}")
                if cluster.driver != "existing" and cluster.nodes_ready < self.wec_nodes:
                    found.append(f"{cluster.name}: {cluster.nodes_ready} of {self.wec_nodes} nodes are ready")
        found += [
            f"{program.name}: is {program.state.lower()}, see `fleet logs {program.name}`"
            for program in self.programs
            if program.state != "RUNNING"
        ]
        return found

    def document(self) -> dict[str, Any]:
        """For `-o json`, without apiVersion and kind; `items` are the clusters."""
        problems = self.problems()
        return {
            "fleet": self.fleet,
            "file": self.file,
            "created": self.created,
            "toolchain": self.toolchain,
            "manager": self.manager,
            "state": "building" if self.incomplete else "built",
            "well": not problems,
            "problems": problems,
            "machines": [asdict(row) for row in self.machines],
            "programs": [asdict(row) for row in self.programs],
            "programs_pss": sum(row.pss for row in self.programs),
        }


def _reason(problem: str) -> str:
    return f" ({problem})" if problem else ""
