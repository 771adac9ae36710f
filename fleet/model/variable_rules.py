"""Checks the variables of a machine: each for itself, then those that must suit one another; all errors at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from fleet.model.fleet_file import WEC
from fleet.model.model_errors import dotted, nearest
from fleet.model.plane_settings import OWN_OF_DENSE, SHARED_BY_DENSE, PlaneSettings
from fleet.model.variable_types import told
from fleet.model.variables import Variables

PORTS_OF_PROCESS = 3
"""API server, etcd for clients, etcd for peers."""
PROCESS_ONLY = (
    "control_plane_kcm_extra_args",
    "control_plane_scheduler_extra_args",
    "control_plane_kcm_env",
    "control_plane_scheduler_env",
)


@dataclass(frozen=True)
class Problem:
    """What is wrong with one variable, with its value, the rule and how to fix it."""

    variable: str
    text: str

    def __str__(self) -> str:
        """As a line of a message."""
        return f"{self.variable}: {self.text}"


@dataclass(frozen=True)
class Checked:
    """The variables of one machine; those that are wrong have their defaults in `variables`."""

    variables: Variables
    problems: tuple[Problem, ...]


class ManagerRules(Protocol):
    """What a fleet's manager says of the variables."""

    def planes(self, variables: Variables) -> Mapping[str, str]:
        """Control planes of its hub: name to role."""
        ...

    def problems(self, variables: Variables) -> Iterable[Problem]:
        """What is wrong with variables that are its own."""
        ...


@dataclass(frozen=True)
class Rule:
    """A rule over several variables; it is not applied where one of them is wrong by itself."""

    names: tuple[str, ...]
    check: Callable[[Variables, Mapping[str, str]], Iterator[Problem]]
    """Of the variables, and the planes of the hub: name to role."""


def checked(
    values: Mapping[str, Any], *, only: Collection[str] | None = None, manager: ManagerRules | None = None
) -> Checked:
    """The variables among `values` (others are ignored), and all that is wrong with them.

    `only`: check these alone, each for itself. `manager`: what that of the fleet has to say.
    """
    names = Variables.model_fields.keys() if only is None else only
    given = {name: value for name, value in values.items() if name in names}
    problems: list[Problem] = []
    try:
        variables = Variables.model_validate(given)
    except ValidationError as error:
        for each in error.errors(include_url=False):
            name = str(each["loc"][0])
            inner = dotted(each["loc"][1:])
            problems.append(Problem(name, f"{inner}: {_said(each)}" if inner else _said(each)))
        wrong = {problem.variable for problem in problems}
        variables = Variables.model_validate({name: given[name] for name in given if name not in wrong})
    else:
        wrong = set()
    if only is None and manager is not None and not wrong:
        problems += manager.problems(variables)
    if only is None:
        hub = {} if manager is None else manager.planes(variables)
        for rule in RULES:
            if wrong.isdisjoint(rule.names):
                problems += rule.check(variables, hub)
    return Checked(variables, tuple(problems))


def _said(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return f"unknown field{nearest(str(error['loc'][-1]), PlaneSettings.model_fields)}"
    text = str(error["msg"])
    if error["type"] == "value_error":
        return text.removeprefix("Value error, ")
    return f"{text}, not {told(error['input'])}"


def _prefix(found: Variables, hub: Mapping[str, str]) -> Iterator[Problem]:
    if found.wec_prefix in hub.values():
        yield Problem(
            "wec_prefix", f"{told(found.wec_prefix)} begins the names of the hub's own control planes: choose another"
        )


def _dense_flags(found: Variables, _: Mapping[str, str]) -> Iterator[Problem]:
    if found.control_plane_driver == "dense":
        for name in PROCESS_ONLY:
            if getattr(found, name):
                yield Problem(
                    name,
                    f"{told(getattr(found, name))} has no effect on WECs of the dense driver, where controller manager "
                    "and scheduler are part of one process: set control_plane_driver=process",
                )


def _ports(found: Variables, hub: Mapping[str, str]) -> Iterator[Problem]:
    planes = {*hub, *found.wecs}
    for name in sorted(found.control_plane_ports.keys() - planes):
        yield Problem("control_plane_ports", f"{name} is no control plane of this fleet{nearest(name, planes)}")
    taken: dict[int, str] = {}
    for name, port in found.control_plane_ports.items():
        three = name in hub or found.control_plane_driver == "process"
        for each in range(port, port + (PORTS_OF_PROCESS if three else 1)):
            other = taken.setdefault(each, name)
            if other != name:
                yield Problem(
                    "control_plane_ports",
                    f"{told(found.control_plane_ports)}: {other} and {name} both take port {each}: name each port once;"
                    " a control plane of the hub, and a WEC of the driver process, takes three in a row",
                )
                break


def _overrides(found: Variables, hub: Mapping[str, str]) -> Iterator[Problem]:
    planes, roles = {*hub, *found.wecs}, {*hub.values(), WEC}
    for target, settings in found.control_plane_overrides.items():
        where = f"control_plane_overrides: {target}"
        if target not in planes and target not in roles:
            meant = nearest(target, {*planes, *roles})
            yield Problem(where, f"is neither a control plane of this fleet nor a role{meant}")
            continue
        wec = target == WEC or target in found.wecs
        if not wec:
            for name in ("simulator_extra_args", "simulator_env"):
                if getattr(settings, name):
                    yield Problem(where, f"{name}: only WECs have simulated nodes: leave it out")
        if wec and found.control_plane_driver == "dense":
            yield from _dense_override(where, settings, role=target == WEC)
        if wec and found.control_plane_driver == "kind":
            for name in settings.set_fields():
                if name.endswith("env") and name != "simulator_env":
                    yield Problem(where, f"{name}: kubeadm gives its programs no environment: set flags instead")


def _dense_override(where: str, settings: PlaneSettings, *, role: bool) -> Iterator[Problem]:
    for name in settings.set_fields():
        if name in OWN_OF_DENSE or (role and name in SHARED_BY_DENSE):
            continue
        if name in SHARED_BY_DENSE:
            yield Problem(
                where,
                f"{name}: WECs of the dense driver share one process and one etcd: give it to all of them (wec), or set"
                " control_plane_driver=process",
            )
        else:
            yield Problem(
                where,
                f"{name}: in WECs of the dense driver controller manager and scheduler are part of one process: set "
                "control_plane_driver=process",
            )


def _hibernate(found: Variables, _planes: Mapping[str, str]) -> Iterator[Problem]:
    if found.dense_hibernate and not found.dense_sharing:
        yield Problem(
            "dense_hibernate",
            f"{found.dense_hibernate} needs dense_sharing=true: else its own controllers are always connected",
        )


def _audit(found: Variables, _planes: Mapping[str, str]) -> Iterator[Problem]:
    if found.audit and found.control_plane_driver == "existing":
        yield Problem(
            "audit",
            f"{found.audit} needs WECs that this testbed makes: set control_plane_driver to dense, process or kind",
        )


def _existing(found: Variables, planes: Mapping[str, str]) -> Iterator[Problem]:
    wecs, hub = (driver == "existing" for driver in (found.control_plane_driver, found.hub_driver))
    if wecs != bool(found.existing_wecs.kubeconfigs):
        yield Problem(
            "existing_wecs",
            "name their kubeconfigs"
            if wecs
            else "is set, and control_plane_driver is not: set control_plane_driver=existing",
        )
    if hub != bool(found.existing_hub):
        yield Problem("existing_hub", "name its clusters" if hub else "is set: set hub_driver=existing too")
    if wecs != hub and (hub or planes):
        yield Problem(
            "hub_driver",
            f"{found.hub_driver} does not go with control_plane_driver {found.control_plane_driver}: a hub that exists"
            " already comes with the WECs that are its members",
        )


def _hollow(found: Variables, hub: Mapping[str, str]) -> Iterator[Problem]:  # noqa: ARG001
    mixed = found.node_simulator == MIXED
    if found.wec_hollow_nodes > found.wec_nodes:
        yield Problem("wec_hollow_nodes", f"{found.wec_hollow_nodes} is more than wec_nodes, {found.wec_nodes}")
    if found.wec_hollow_nodes and not mixed:
        yield Problem("wec_hollow_nodes", f"is for node_simulator={MIXED} alone: leave it out, or set that")
    for name in SIMULATOR_SETTINGS if mixed else ():
        if getattr(found, name):
            yield Problem(name, f"not with node_simulator={MIXED}, which has programs of two kinds: leave it out")


def _placement(found: Variables, hub: Mapping[str, str]) -> Iterator[Problem]:  # noqa: ARG001
    if found.hollow_placement != IN_PODS:
        return
    if found.control_plane_driver != WITH_REAL_NODE:
        yield Problem(
            "hollow_placement",
            f"{IN_PODS} run on the real node of a kind cluster, which a WEC of the driver {found.control_plane_driver}"
            f" has not: set control_plane_driver={WITH_REAL_NODE}, or hollow_placement=process",
        )
    if found.hollow_address:
        yield Problem(
            "hollow_address",
            f"nodes have the addresses of their pods (hollow_placement={IN_PODS}): leave it out",
        )
    if found.monitoring_nodes == "direct":
        yield Problem(
            "monitoring_nodes", f"direct does not reach addresses of pods (hollow_placement={IN_PODS}): set it to proxy"
        )


def _monitoring(found: Variables, hub: Mapping[str, str]) -> Iterator[Problem]:  # noqa: ARG001
    if found.monitoring_nodes != "none" and not found.monitoring_enabled:
        yield Problem("monitoring_nodes", "nothing scrapes without monitoring_enabled=true: set it, or leave this out")


PLANES = ("wec_count", "wec_prefix", "manager", "control_plane_driver")
"""What the names of control planes follow from, and how they run."""
MIXED = "mixed"
IN_PODS, WITH_REAL_NODE = "pods", "kind"
SIMULATOR_SETTINGS = (
    "control_plane_kwok_extra_args", "control_plane_kwok_env",
    "control_plane_hollow_extra_args", "control_plane_hollow_env",
)  # fmt: skip
RULES = (
    Rule(("node_simulator", "wec_nodes", "wec_hollow_nodes", *SIMULATOR_SETTINGS), _hollow),
    Rule(("hollow_placement", "control_plane_driver", "hollow_address", "monitoring_nodes"), _placement),
    Rule(("monitoring_nodes", "monitoring_enabled"), _monitoring),
    Rule(PLANES, _prefix),
    Rule(("dense_hibernate", "dense_sharing"), _hibernate),
    Rule(("audit", "control_plane_driver"), _audit),
    Rule(("control_plane_driver", *PROCESS_ONLY), _dense_flags),
    Rule((*PLANES, "control_plane_ports"), _ports),
    Rule(("control_plane_driver", "hub_driver", "existing_wecs", "existing_hub"), _existing),
    Rule((*PLANES, "control_plane_overrides"), _overrides),
)
