"""Check the variables of all machines on the controller; see the module of the same name for its documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.utils.vars import load_extra_vars

from fleet.action.controller import ControllerAction
from fleet.errors import UsageError
from fleet.managers.variable_check import Chosen
from fleet.model.misspelt import misspelt
from fleet.model.variable_rules import Checked, Problem, checked
from fleet.model.variables import Variables, is_recorded

ARGUMENTS = {"only": {"type": "list", "elements": "str", "default": []}}
CHECKOUT = Path(__file__).resolve().parents[2]
DERIVED = "plugins/vars/derived.yml"
LIMITS = "fleet_limits"
GIVEN = "fleet_given"
"""Of `fleet up`: what -e has set since the fleet exists, where the playbook's own -e say more than that."""
SPECS = "roles/*/meta/argument_specs.yml"
READERS = ("*.yml", "playbooks/*.yml", "roles/*/*/*.yml", DERIVED)
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
UNCHANGED = "Nothing was changed."


class ActionModule(ControllerAction):
    """Runs here, never on a managed machine."""

    arguments = ARGUMENTS

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """As Ansible calls it."""
        self._known: Mapping[str, Any] = task_vars or {}
        return super().run(tmp, task_vars)

    def outcome(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What is recorded of the variables. UsageError with everything that is wrong."""
        only = given["only"] or None
        hosts = list(self._known["groups"].get("fleet_hosts", []))
        found = {host: self._check(host, len(hosts), only) for host in hosts}
        extra = load_extra_vars(self._loader)
        problems = [*_merged({host: each.problems for host, each in found.items()})]
        if only is None:
            problems += _wrong_names(extra, self._names(hosts))
        if problems:
            raise UsageError("\n".join([*dict.fromkeys(problems), UNCHANGED]))
        recorded = {host: each.variables.recorded() for host, each in found.items()}
        common, apart = _alike(recorded)
        if GIVEN in extra:
            own = dict(self._templar.template(extra[GIVEN]))
        else:
            own = {name: common[name] for name in extra if is_recorded(name) and name in common}
        return {"changed": False, "variables": common, "hosts": apart, "given": own}

    def _check(self, host: str, machines: int, only: Sequence[str] | None) -> Checked:
        """The variables of one machine, as its own templates have them."""
        values, broken = {}, []
        theirs = self._known["hostvars"][host]
        for name in only or Variables.model_fields:
            if name not in theirs:
                continue
            try:
                values[name] = theirs[name]
            except AnsibleError as error:
                broken.append(Problem(name, f"cannot be resolved: {error}"))
        done = checked(values, only=only, manager=Chosen(machines))
        return Checked(done.variables, (*broken, *done.problems))

    def _names(self, hosts: Sequence[str]) -> set[str]:
        """Names of everything that the inventory sets."""
        return {str(name) for host in hosts for name in self._known["hostvars"][host]}


def _merged(problems: Mapping[str, Sequence[Problem]]) -> Iterator[str]:
    """Each problem once; it names its machines where not all have it."""
    where: dict[Problem, list[str]] = {}
    for host, found in problems.items():
        for problem in found:
            where.setdefault(problem, []).append(host)
    for problem, hosts in where.items():
        place = "" if len(hosts) == len(problems) else f" of {', '.join(hosts)}"
        yield f"{problem.variable}{place}: {problem.text}"


def _alike(recorded: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """What all machines have alike, and by machine what they have not."""
    every = list(recorded.values())
    names = every[0] if every else {}
    same = {name for name in names if all(each[name] == every[0][name] for each in every)}
    apart = {host: {n: value for n, value in each.items() if n not in same} for host, each in recorded.items()}
    return {name: names[name] for name in names if name in same}, {host: each for host, each in apart.items() if each}


def _wrong_names(extra: Mapping[str, Any], inventory: set[str]) -> Iterator[str]:
    """Sentences about names that are derived, and about those that nothing reads but that look like one of ours."""
    derived = {*_yaml(CHECKOUT / DERIVED), LIMITS}
    for name in sorted(derived & extra.keys()):
        yield f"{name}: follows from other variables and cannot be set: set those (docs/reference/variables.md)"
    given = {*extra, *inventory} - _read(CHECKOUT) - {GIVEN}
    known = {*Variables.model_fields, *derived, *_specified(CHECKOUT)}
    for name, meant in misspelt(sorted(given), known).items():
        yield f"{name}: there is no such variable: {meant} is the closest"


def _specified(checkout: Path) -> Iterator[str]:
    """Arguments of our roles."""
    for file in checkout.glob(SPECS):
        for entry in _yaml(file)["argument_specs"].values():
            yield from entry.get("options") or {}


def _read(checkout: Path) -> set[str]:
    """Every word of our playbooks and roles, so that none which one of them reads is refused."""
    files = (file for pattern in READERS for file in checkout.glob(pattern))
    return {word for file in files for word in WORD.findall(file.read_text(encoding="utf-8"))}


def _yaml(file: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found
