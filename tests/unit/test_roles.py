"""Every role declares what it reads, and its README says the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tools.roles import ROOT, Role, roles

DERIVED = {*yaml.safe_load((ROOT / "plugins" / "vars" / "derived.yml").read_text(encoding="utf-8")), "fleet_limits"}
"""What the vars plugin makes of others; nobody gives it."""


@pytest.mark.parametrize("role", roles(), ids=lambda role: role.folder.name)
def test_a_role_declares_every_variable_that_it_reads(role: Role) -> None:
    assert role.undeclared() - DERIVED == set()


@pytest.mark.parametrize("role", roles(), ids=lambda role: role.folder.name)
def test_the_readme_says_what_the_role_declares(role: Role) -> None:
    assert (role.folder / "README.md").read_text(encoding="utf-8") == role.readme(), "run: python -m tools.roles"


def test_a_variable_that_is_not_declared_is_found(tmp_path: Path) -> None:
    for name, text in {
        "meta/argument_specs.yml": "argument_specs: {main: {short_description: Test, options: {given: {type: str}}}}",
        "tasks/main.yml": (
            "- ansible.builtin.command: '{{ given }} {{ asked | default(1) }} {{ item.key }} {{ ansible_host }}'\n"
            "  when: flag and not other is defined\n  register: result\n"
            "- ansible.builtin.debug: {msg: '{{ result.stdout }} {{ made }}'}\n  vars: {made: 1}\n"
        ),
        "templates/one.j2": "{% for name in several %}{{ name }}{% endfor %}",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert Role(tmp_path).undeclared() == {"asked", "flag", "other", "several"}
