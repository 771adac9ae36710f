"""The fleet file: what was built, where it listens, and with which versions, flags and limits.

Written by the `record` role, read by every `fleet` command. It holds no secret: kubeconfigs are named by path.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from fleet.model.base import Model, Name
from fleet.model.link import Link
from fleet.model.pairing import paired

Role = Literal["its", "wds", "wec"]
DriverName = Literal["dense", "process", "kind"]


class Machine(Model):
    """One machine of the fleet."""

    name: Name
    address: str = "127.0.0.1"
    connection: Literal["local", "ssh"] = "local"
    user: str = ""
    port: int = 22
    key_file: str = ""
    """Private key on the controller; empty: the SSH client's own choice."""
    known_hosts: str = ""
    """The machines' host keys on the controller; empty: the user's own file."""
    python: str = ""
    """Interpreter on that machine that can import `fleet`; for connection ssh."""
    state_dir: str
    """The machine's folder of this fleet, absolute, on that machine."""
    wan: Link | None = None
    """What its WECs' agents reach the hub through; None: as the network has it."""

    @field_validator("wan", mode="before")
    @classmethod
    def _none(cls, value: Any) -> Any:
        return value or None  # an inventory writes {}


class Cluster(Model):
    """One control plane."""

    name: Name
    role: Role
    machine: Name
    driver: DriverName
    server: str
    """https://address:port of its API server."""
    kubeconfig: str
    """Path on the controller, mode 0600."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels of its ManagedCluster (WECs only)."""


class ClientTls(Model):
    """Files on a program's machine by which it is trusted and trusts its caller; all of mode 0600."""

    ca: str
    cert: str
    key: str


class Component(Model):
    """One long-lived program, as it was started."""

    program: str
    """Name under the machine's supervisor, `<component>.<cluster>`."""
    component: str
    """kube-apiserver, etcd, dense, transport, controller-manager, registration, ocm-agent, status-agent, kwok, ..."""
    machine: Name
    cluster: str = ""
    """The control plane it belongs to; empty when it serves several."""
    version: str = ""
    argv: list[str] = Field(default_factory=list)
    metrics: str = ""
    """URL of its metrics on that machine; empty when it has none."""
    pprof: str = ""
    """Where it serves profiles, `/debug/pprof` included: http, https, or `unix:` and the path of a socket, `:` and the
    path on it. Empty when it serves none."""
    tls: ClientTls | None = None
    """What to show at both when they are https."""


Rate = Annotated[float, Field(gt=0, le=2**31 - 1)]
"""Requests per second."""
Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""At most what every program's flag takes."""


class ClientLimits(Model):
    """Client-side limits that dominate latency. Defaults are those of KubeStellar's and OCM's own charts."""

    transport_wds_qps: Rate = 5
    transport_wds_burst: Count = 10
    transport_its_qps: Rate = 5
    transport_its_burst: Count = 10
    transport_concurrency: Count = 4
    max_num_wrapped: Count = 1
    max_size_wrapped: Count = 512000
    controller_wds_qps: Rate = 5
    controller_wds_burst: Count = 10
    controller_its_qps: Rate = 5
    controller_its_burst: Count = 10
    status_hub_qps: Rate = 5
    status_hub_burst: Count = 10
    status_local_qps: Rate = 5
    status_local_burst: Count = 10
    work_hub_qps: Rate = 50
    work_hub_burst: Count = 100
    work_spoke_qps: Rate = 50
    work_spoke_burst: Count = 100


class StatusAgent(Model):
    """Which program returned status, and its version."""

    implementation: Literal["fleet", "ocm-status-addon"] = "fleet"
    version: str


class FleetFile(Model):
    """The whole of `fleet.json`."""

    format: Literal[1] = 1
    """1: first format (0.1.0)."""
    name: Name
    created: str
    """RFC 3339, UTC."""
    inventory: str = ""
    """Path of the inventory that built it, as given, for `fleet down`."""
    inventory_sha256: str = ""
    toolchain_digest: str
    versions: dict[str, str] = Field(default_factory=dict)
    wec_nodes: int = 1
    limits: ClientLimits = ClientLimits()
    status_agent: StatusAgent
    machines: list[Machine]
    clusters: list[Cluster]
    components: list[Component] = Field(default_factory=list)

    def of_role(self, role: Role) -> list[Cluster]:
        """Clusters of that role, in the order of their names."""
        return sorted((c for c in self.clusters if c.role == role), key=lambda c: c.name)

    def served(self) -> list[Cluster]:
        """The WDSes that KubeStellar runs for, the first ones; all of them where the file tells no such program."""
        wdses = self.of_role("wds")
        served = {program.cluster for program in self.components if program.component == "transport"}
        return [wds for wds in wdses if wds.name in served] or wdses

    def its_of(self, wds: str) -> str:
        """The ITS that KubeStellar of that WDS works with; empty for a WDS or a fleet without one."""
        wdses, itses = ([cluster.name for cluster in found] for found in (self.of_role("wds"), self.of_role("its")))
        return paired(wdses, itses).get(wds, "")

    def machine(self, name: str) -> Machine:
        """The machine of that name; KeyError when there is none."""
        for machine in self.machines:
            if machine.name == name:
                return machine
        raise KeyError(name)
