"""Lookup: sentences about variables of the command line (`-e`) that nothing reads, but that look like one of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.lookup import LookupBase
from ansible.utils.vars import load_extra_vars

from fleet.model.misspelt import misspelt

DOCUMENTATION = r"""
name: fleet_misspelt
short_description: Variables of the command line that are misspelt
description:
  - One sentence for each variable that was given with C(-e), is read nowhere in this project, and is written much
    like one that is.
author: [The maintainers]
options: {}
"""
CHECKOUT = Path(__file__).resolve().parents[2]
DEFAULTS = ("inventories/*/group_vars/*.yml", "inventories/*/group_vars/all/*.yml", "roles/*/defaults/main.yml")
SPECS = "roles/*/meta/argument_specs.yml"
READERS = ("*.yml", "playbooks/*.yml", "roles/*/*/*.yml")
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def known(checkout: Path) -> set[str]:
    """Every variable that has a default or is an argument of a role."""
    return set(_known(checkout))


def _known(checkout: Path) -> Iterator[str]:
    for pattern in DEFAULTS:
        for file in checkout.glob(pattern):
            yield from yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    for file in checkout.glob(SPECS):
        for entry in yaml.safe_load(file.read_text(encoding="utf-8"))["argument_specs"].values():
            yield from entry.get("options") or {}


def read(checkout: Path) -> set[str]:
    """Every word of our playbooks and roles, so that none which one of them reads is refused."""
    files = (file for pattern in READERS for file in checkout.glob(pattern))
    return {word for file in files for word in WORD.findall(file.read_text(encoding="utf-8"))}


class LookupModule(LookupBase):
    """What Ansible looks for."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **options: Any) -> list[str]:  # noqa: ARG002
        given = set(load_extra_vars(DataLoader())) - read(CHECKOUT)
        found = misspelt(sorted(given), known(CHECKOUT))
        return [f"{name}: there is no such variable: {meant} is the closest" for name, meant in found.items()]
