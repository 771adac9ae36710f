"""What a control plane needs on its machine, as values: certificates, files, programs. Nothing is done
here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from fleet.errors import HostError, UsageError
from fleet.host.authority import Subject
from fleet.host.layout import Layout
from fleet.host.supervisor_config import Program, quote_env
from fleet.model.fleet_file import WEC, DriverName, Role

AuthorityName = Literal["ca", "front-proxy-ca", "etcd-ca", "hub-signer"]
PLANE_FILE = "plane.json"
"""In every control plane's folder: what it was asked to be; written first and removed last, so a half-made
one is found."""


class Programs(Protocol):
    """Where the upstream programs lie (`fleet.toolchain.Toolchain` is one)."""

    def program(self, name: str) -> Path:
        """The executable of that name; raises ToolchainError when there is none."""
        ...


PARTS = {
    "kube-apiserver": "apiserver",
    "etcd": "etcd",
    "kube-controller-manager": "kcm",
    "kube-scheduler": "scheduler",
}
"""Component of a control plane to what the inventory's variables call it."""
SIMULATOR = "simulator"
"""What plays the nodes of a WEC; variables of the inventory have its own name, `control_plane_<name>_extra_args`."""
ALL_PARTS = (*PARTS.values(), SIMULATOR)


@dataclass(frozen=True)
class Extra:
    """Arguments and environment that the user adds; they come last, so that they win over ours."""

    apiserver: tuple[str, ...] = ()
    etcd: tuple[str, ...] = ()
    kcm: tuple[str, ...] = ()
    scheduler: tuple[str, ...] = ()
    simulator: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    """For every program of a control plane."""
    env_of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """For the programs of one part (of `ALL_PARTS`); it wins over `env`."""

    def check(self) -> None:
        """UsageError naming the variable when an argument is no flag, or a value cannot be in an environment."""
        for name in ALL_PARTS:
            for argument in getattr(self, name):
                if not argument.startswith("--") or "\n" in argument:
                    raise UsageError(f"control_plane_{name}_extra_args: {argument!r} is not of the form --flag=value")
        for variable, env in (("", self.env), *((f"{part}_", env) for part, env in self.env_of.items())):
            for name, value in env.items():
                try:
                    quote_env(name, value)
                except HostError as error:
                    raise UsageError(f"control_plane_{variable}env: {error}") from error

    def with_settings(self, settings: Mapping[str, Any]) -> Extra:
        """With those of one control plane or role (`fleet.model.plane_settings.PlaneSettings`, what is set of them)."""
        flags = {part: (*getattr(self, part), *settings.get(f"{part}_extra_args", ())) for part in ALL_PARTS}
        env_of = {part: {**self.env_of.get(part, {}), **settings.get(f"{part}_env", {})} for part in ALL_PARTS}
        env = {**self.env, **settings.get("env", {})}
        return replace(self, **flags, env=env, env_of={part: values for part, values in env_of.items() if values})

    def environment(self, component: str, base: Mapping[str, str]) -> dict[str, str]:
        """Of one program: what we give it, and the user's values over that."""
        return {**base, **self.env, **self.env_of.get(PARTS.get(component, SIMULATOR), {})}


@dataclass(frozen=True)
class NodeShape:
    """What the simulated nodes of a control plane have alongside what every one has, and nodes of another kind.

    The quantities are Kubernetes' own (`32`, `256Gi`, `1k`); what `capacity` names wins over the simulator's.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    capacity: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Mapping[str, str], ...] = ()
    plain: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Further nodes, with no taint and no capacity of these: name to their labels."""


PLAIN = NodeShape()
"""Nodes as the simulator makes them."""


AuditKind = Literal["sample", "all"]


@dataclass(frozen=True)
class ControlPlane:
    """One control plane, as requested. `port` 0 lets the registry choose the API server's port."""

    name: str
    role: Role
    driver: DriverName = "process"
    bind_address: str = "127.0.0.1"
    port: int = 0
    extra: Extra = Extra()
    signs: bool = False
    """Of the hub: it signs the client certificates of clusters that register there."""
    aggregates: bool = False
    """It passes requests of some API groups on to other servers (an APIService), as their front proxy."""
    bare: bool = False
    """Its API server alone, without controllers and scheduler."""
    openapi: bool = False
    """It publishes OpenAPI also where that is left out to save memory."""
    audit: AuditKind | None = None
    """What its API server logs: `all` answered requests, or a `sample` of them, the writes of objects."""
    nodes: NodeShape = PLAIN
    controllers: tuple[str, ...] = ()
    """Of a WEC: controllers that it has besides those of every WEC, by their names in kube-controller-manager."""

    shipped: bool = False
    """Of a WEC: it is the system under test, and its programs run as upstream ships them; others are small at rest."""

    @property
    def hub(self) -> bool:
        """Whether it is part of a manager's hub."""
        return self.role != WEC

    @property
    def as_shipped(self) -> bool:
        """Whether nothing of its programs is tuned to be small."""
        return self.hub or self.shipped


@dataclass(frozen=True)
class Certificate:
    """`<directory>/<name>.crt` and `.key`, signed by `authority`."""

    directory: Path
    name: str
    authority: AuthorityName
    subject: Subject

    @property
    def cert(self) -> Path:
        """The certificate's file."""
        return self.directory / f"{self.name}.crt"

    @property
    def key(self) -> Path:
        """The key's file."""
        return self.directory / f"{self.name}.key"


@dataclass(frozen=True)
class Kubeconfig:
    """A kubeconfig with `certificate` embedded; its authority is the fleet's `ca`."""

    path: Path
    server: str
    context: str
    certificate: Certificate


@dataclass(frozen=True)
class TextFile:
    """A file without a secret inside it; written with mode 0600 like all others."""

    path: Path
    text: str


@dataclass(frozen=True)
class PlannedProgram:
    """A program, what it is, and the files that it reads only when it starts: when they change it is
    restarted."""

    program: Program
    component: str
    cluster: str
    reads: tuple[Path, ...] = ()
    revision: str = ""
    """Anything else that must restart it when it changes."""


@dataclass(frozen=True)
class Plan:
    """Everything that one control plane, or one shard of them, puts on the machine."""

    directories: tuple[Path, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    kubeconfigs: tuple[Kubeconfig, ...] = ()
    texts: tuple[TextFile, ...] = ()
    programs: tuple[PlannedProgram, ...] = ()

    @classmethod
    def merge(cls, plans: Iterable[Plan]) -> Plan:
        """All of them together, in order."""
        plans = list(plans)
        return cls(
            tuple(d for p in plans for d in p.directories),
            tuple(c for p in plans for c in p.certificates),
            tuple(k for p in plans for k in p.kubeconfigs),
            tuple(t for p in plans for t in p.texts),
            tuple(x for p in plans for x in p.programs),
        )

    def transcript(self, replacements: Mapping[str, str] | None = None) -> str:
        """What would be written and run, for people; each key of `replacements` is shown as its value."""
        lines = [f"mkdir 0700 {path}" for path in self.directories]
        for cert in self.certificates:
            what = [f"CN={cert.subject.common_name}", *(f"O={o}" for o in cert.subject.organizations)]
            what += [f"SAN={name}" for name in cert.subject.names]
            lines += [f"issue 0600 {cert.cert} by {cert.authority}: {' '.join(what)}"]
        lines += [f"write 0600 {k.path}: kubeconfig of {k.server} as {k.certificate.name}" for k in self.kubeconfigs]
        for text in self.texts:
            lines += [f"write 0600 {text.path}:", *(f"    {line}" for line in text.text.splitlines())]
        for planned in self.programs:
            lines.append(f"run {planned.program.name} (priority {planned.program.priority}):")
            lines += [f"    {name}={value}" for name, value in sorted(planned.program.env.items())]
            lines += [f"    {argument}" for argument in planned.program.argv]
        text_out = "\n".join(lines) + "\n"
        for old, new in (replacements or {}).items():
            text_out = text_out.replace(old, new)
        return text_out


def render_json(document: Any) -> str:
    """JSON with a stable order and a final newline."""
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


NOT_RECORDED = ("openapi", "audit", "nodes", "controllers")
"""What a platform needs of a control plane; that there is a platform is its own record."""


def plane_file(layout: Layout, plane: ControlPlane, server: str) -> TextFile:
    """The record of what `plane` was asked to be."""
    asked = {
        name: value for name, value in asdict(plane).items() if name not in NOT_RECORDED and (name != "bare" or value)
    }
    return TextFile(layout.cluster(plane.name) / PLANE_FILE, render_json({**asked, "server": server}))


def url(address: str, port: int) -> str:
    """https URL of an address and port; IPv6 in brackets."""
    return f"https://[{address}]:{port}" if ":" in address else f"https://{address}:{port}"
