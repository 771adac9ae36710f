"""The fleet file: what was built, where it listens, and with which versions, flags and limits.

Written by the `record` role, read by every `fleet` command. It holds no secret: kubeconfigs are named by path.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from fleet.model.base import Model, Name
from fleet.model.fleet_format1 import upgraded
from fleet.model.link import Link

WEC = "wec"
"""Role of a workload execution cluster; the roles of a hub's clusters are the manager's."""
Role = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,15}$")]
DriverName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,15}$")]
"""A package of `fleet.host.drivers`, or `EXISTING`."""
EXISTING = "existing"
"""Instead of a driver: a cluster that the user has, and of which only this record is the fleet's."""


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
    variables: dict[str, Any] = Field(default_factory=dict)
    """Variables of the inventory that are not alike on all machines, as this one has them."""

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
    """Path on the controller, mode 0600; of an existing cluster the user's own file."""
    context: str = ""
    """Context of an existing cluster in that file; empty: the current one."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Those by which policies of the manager select it (WECs only)."""

    @property
    def built(self) -> bool:
        """The fleet built it, may stop it, and knows all that runs in it."""
        return self.driver != EXISTING


class ClientTls(Model):
    """Files on a program's machine by which it is trusted and trusts its caller; all of mode 0600."""

    ca: str
    cert: str = ""
    """Empty, with `key`: the program knows no authority of ours, and refuses who shows a certificate of it."""
    key: str = ""
    server_name: str = ""
    """What the program's certificate says; empty: the host of its URL."""


class Component(Model):
    """One long-lived program, as it was started."""

    program: str
    """Name under the machine's supervisor, `<component>.<cluster>`."""
    component: str
    """kube-apiserver, etcd, a program of a driver, a simulator or the manager, ..."""
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
    cpu_profile: bool = True
    """Whether it serves CPU profiles where it serves others."""
    emulates: bool = False
    """It plays WECs or their nodes: in a real fleet it would run on other machines."""


class ManagerOf(Model):
    """The manager of a fleet, as it was installed."""

    name: str = "none"
    """`none`: control planes alone, no hub."""
    version: str = ""
    source: str = ""
    """Role of the clusters in which a user creates objects; empty where these are the WECs themselves."""
    transport: str = ""
    """Role of the clusters through which objects travel; may be the same."""
    transports: dict[str, str] = Field(default_factory=dict)
    """Transport of each source, by the names of the clusters."""
    served: list[str] | None = None
    """Sources that the manager's programs run for; None: all."""
    facts: dict[str, str] = Field(default_factory=dict)
    """What else says which manager this is, `status_agent: fleet`. Reports print it; runs that differ in it are not
    comparable."""

    def __str__(self) -> str:
        """For people: name, version and facts, `<name> v1.2.0, status agent fleet, status agent version 0.1.0`."""
        facts = [f"{name.replace('_', ' ')} {value}" for name, value in self.facts.items()]
        return ", ".join([f"{self.name} {self.version}".strip(), *facts])


class PlatformOf(Model):
    """A platform of a fleet, as it was installed."""

    name: Name
    version: str = ""
    wecs: tuple[str, ...] = ()
    """Those that have it."""
    components: tuple[str, ...] = ()
    """Its programs that are under test; others play something for it."""

    def __str__(self) -> str:
        """For people: `name v1.2.0 in wec001, wec002`."""
        return f"{self.name} {self.version}".strip() + f" in {', '.join(self.wecs)}"


class BringUp(Model):
    """How long `site.yml` took to build the fleet where there was none."""

    began: str
    """RFC 3339, UTC: when the fleet was first recorded, which is after the checks of variables and machines."""
    seconds: float | None = None
    """Until it was recorded as built; None: it was not, or not in one go."""
    wecs: int = 0
    """That it had then."""


class FleetFile(Model):
    """The whole of `fleet.json`."""

    format: Literal[2] = 2
    """1: first format (0.1.0), read as 2 (`fleet.model.fleet_format1`). 2: any manager, plain roles and limits."""
    name: Name
    created: str
    """RFC 3339, UTC."""
    inventory: str = ""
    """Path of the inventory that built it, as given, for `fleet down`."""
    inventory_sha256: str = ""
    state: Literal["building", "built"] = "built"
    """`building` from the first task of `site.yml` to its last; it stays so when one fails (`build.json` alongside
    it)."""
    bring_up: BringUp | None = Field(default=None, exclude_if=lambda value: value is None)
    """Of the first `site.yml`; a later one leaves it. None in a file of an older release."""
    variables: dict[str, Any] = Field(default_factory=dict)
    """Variables of the inventory (`fleet.model.variables`) that are alike on all machines, as they were in effect.
    Empty in a file of an older release."""
    given: dict[str, Any] = Field(default_factory=dict)
    """Those that `-e` has set since the fleet exists; `fleet up` keeps them."""
    toolchain_digest: str
    versions: dict[str, str] = Field(default_factory=dict)
    wec_nodes: int = 1
    node_simulator: str = "kwok"
    """What plays the nodes of WECs. A file without it is of a release that had kwok alone."""
    wec_hollow_nodes: int = 0
    """How many of `wec_nodes` are hollow where several simulators play them."""
    wec_differs: str = ""
    """Whether WECs are as upstream makes them, and in which processes their simulators and agents run; for reports."""
    node_load: str = ""
    """How many requests these nodes make alongside a kubelet's, and who measured it. Empty in a file of an older
    release."""
    manager: ManagerOf = ManagerOf()
    platforms: tuple[PlatformOf, ...] = ()
    limits: dict[str, int | float] = Field(default_factory=dict)
    """Client-side limits of the manager's programs, by the names of the variables that set them."""
    machines: list[Machine]
    clusters: list[Cluster]
    components: list[Component] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _upgrade(cls, data: Any) -> Any:
        return upgraded(data)

    def node_kinds(self) -> str:
        """How the nodes of a WEC are divided where several simulators play them, in parentheses; else empty."""
        return f" ({self.wec_hollow_nodes} of them hollow)" if self.wec_hollow_nodes else ""

    def of_role(self, role: Role) -> list[Cluster]:
        """Clusters of that role, in the order of their names."""
        return sorted((c for c in self.clusters if c.role == role), key=lambda c: c.name)

    def wecs(self) -> list[Cluster]:
        """Workload execution clusters, in the order of their names."""
        return self.of_role(WEC)

    def sources(self) -> list[Cluster]:
        """Where a user creates objects; none where these are the WECs themselves."""
        return self.of_role(self.manager.source) if self.manager.source else []

    def transports(self) -> list[Cluster]:
        """Through which objects travel; may be the sources."""
        return self.of_role(self.manager.transport) if self.manager.transport else []

    def hub(self) -> list[Cluster]:
        """Transports, then sources; each once."""
        return list({c.name: c for c in (*self.transports(), *self.sources())}.values())

    def served(self) -> list[Cluster]:
        """The sources that the manager's programs run for."""
        chosen = self.manager.served
        return [source for source in self.sources() if chosen is None or source.name in chosen]

    def transport_of(self, source: str) -> str:
        """The transport that the manager uses for that source; empty where there is none."""
        return self.manager.transports.get(source, "")

    def machine(self, name: str) -> Machine:
        """The machine of that name; KeyError when there is none."""
        for machine in self.machines:
            if machine.name == name:
                return machine
        raise KeyError(name)
