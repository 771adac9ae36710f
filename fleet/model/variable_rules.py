"""Checks the variables of a machine: each for itself, then those that must suit one another; all errors at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from fleet.model.model_errors import dotted, nearest
from fleet.model.plane_settings import OWN_OF_DENSE, SHARED_BY_DENSE, PlaneSettings
from fleet.model.variable_types import as_whole, told
from fleet.model.variables import Variables

ROLES = ("its", "wds", "wec")
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


@dataclass(frozen=True)
class Rule:
    """A rule over several variables; it is not applied where one of them is wrong by itself."""

    names: tuple[str, ...]
    check: Callable[[Variables, int], Iterator[Problem]]


def checked(values: Mapping[str, Any], *, machines: int = 1, only: Collection[str] | None = None) -> Checked:
    """The variables among `values` (others are ignored), and all that is wrong with them.

    `machines`: how many the fleet has. `only`: check these alone, each for itself.
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
    if only is None:
        for rule in RULES:
            if wrong.isdisjoint(rule.names):
                problems += rule.check(variables, machines)
    return Checked(variables, tuple(problems))


def _said(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return f"unknown field{nearest(str(error['loc'][-1]), PlaneSettings.model_fields)}"
    text = str(error["msg"])
    return (
        text.removeprefix("Value error, ") if error["type"] == "value_error" else f"{text}, not {told(error['input'])}"
    )


def _counts(found: Variables, _: int) -> Iterator[Problem]:
    serving = found.wds_count if found.wds_serving == "" else as_whole(found.wds_serving) or 0
    for name, value in (("wds_serving", serving), ("its_count", found.its_count)):
        if not 1 <= value <= found.wds_count:
            text = f"{value} is not a whole number from 1 to {found.wds_count}, the number of WDSes (wds_count)"
            yield Problem(name, text)


def _several_itses(found: Variables, machines: int) -> Iterator[Problem]:
    if found.its_count > 1 and (machines > 1 or found.wan):
        yield Problem(
            "its_count",
            f"{found.its_count} ITSes need one machine for hub and WECs, and no link (wan): links and the credentials of "
            "other machines lead to one ITS",
        )


def _dense_flags(found: Variables, _: int) -> Iterator[Problem]:
    if found.control_plane_driver == "dense":
        for name in PROCESS_ONLY:
            if getattr(found, name):
                yield Problem(
                    name,
                    f"{told(getattr(found, name))} has no effect on WECs of the dense driver, where controller manager and "
                    "scheduler are part of one process: set control_plane_driver=process",
                )


def _ports(found: Variables, _: int) -> Iterator[Problem]:
    planes = {*found.itses, *found.wdses, *found.wecs}
    hub = {*found.itses, *found.wdses}
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
                    f"{told(found.control_plane_ports)}: {other} and {name} both take port {each}: name each port once; a "
                    "control plane of the hub, and a WEC of the driver process, takes three in a row",
                )
                break


def _status_agent(found: Variables, _: int) -> Iterator[Problem]:
    if found.ocm_agents_status_agent != (found.record_status_agent == "fleet"):
        yield Problem(
            "record_status_agent",
            f"{told(found.record_status_agent)} would be written on every run and report, but ocm_agents_status_agent is "
            f"{told(found.ocm_agents_status_agent)}: with true ours returns status, which is fleet; with false name the "
            "one that you run (ocm-status-addon) and record_status_agent_version",
        )


def _overrides(found: Variables, _: int) -> Iterator[Problem]:
    planes = {*found.itses, *found.wdses, *found.wecs}
    for target, settings in found.control_plane_overrides.items():
        where = f"control_plane_overrides: {target}"
        if target not in planes and target not in ROLES:
            yield Problem(
                where, f"is neither a control plane of this fleet nor a role{nearest(target, {*planes, *ROLES})}"
            )
            continue
        wec = target == "wec" or target in found.wecs
        if not wec:
            for name in ("simulator_extra_args", "simulator_env"):
                if getattr(settings, name):
                    yield Problem(where, f"{name}: only WECs have simulated nodes: leave it out")
        if wec and found.control_plane_driver == "dense":
            yield from _dense_override(where, settings, role=target == "wec")
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
                f"{name}: WECs of the dense driver share one process and one etcd: give it to all of them (wec), or set "
                "control_plane_driver=process",
            )
        else:
            yield Problem(
                where,
                f"{name}: in WECs of the dense driver controller manager and scheduler are part of one process: set "
                "control_plane_driver=process",
            )


PLANES = ("wec_count", "wec_prefix", "wds_count", "its_count", "control_plane_driver")
"""What the names of control planes follow from, and how they run."""
RULES = (
    Rule(("wds_count", "wds_serving", "its_count"), _counts),
    Rule(("its_count", "wan"), _several_itses),
    Rule(("control_plane_driver", *PROCESS_ONLY), _dense_flags),
    Rule((*PLANES, "control_plane_ports"), _ports),
    Rule(("ocm_agents_status_agent", "record_status_agent"), _status_agent),
    Rule((*PLANES, "control_plane_overrides"), _overrides),
)
