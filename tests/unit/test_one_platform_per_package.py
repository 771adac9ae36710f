"""A platform is one package: nothing else names it but experiments about it, its toolchain group and documents."""

from __future__ import annotations

import re
from pathlib import Path

import fleet
from fleet.platforms import platform as platforms

ROOT = Path(fleet.__file__).parent
CHECKOUT = ROOT.parent
WORDS = {
    "karpenter": r"\b(karpenter|(node|kwok)(claim|pool|nodeclass|overlay)(e?s)?)\b",
    "kubevirt": r"\b(kubevirt|virt-(operator|api|controller|handler|launcher)|VMIs?)\b",
    "kyverno": r"\bkyverno\b",
    "metrics-server": r"\bmetrics-server\b",
    "kueue": r"\b(kueue|ClusterQueues?|LocalQueues?)\b",
}
"""What a module that knows of a platform says."""
ALLOWED = {
    "fleet/model/variables.py",  # its variables, as of managers
}


ABOUT = {
    "kyverno": ("fleet/experiments/admission_latency/",),
    "kueue": ("fleet/managers/multikueue/", "fleet/experiments/job_dispatch/"),
}
"""Experiments about a platform that do not begin with its name, and a manager made of its program."""


def owners(name: str) -> tuple[str, ...]:
    """Where it may be named: its package, and experiments about it."""
    package = name.replace("-", "_")
    return f"fleet/platforms/{package}/", f"fleet/experiments/{package}_", *ABOUT.get(name, ())


def test_every_platform_has_words() -> None:
    assert set(platforms.known()) == set(WORDS)


def test_nothing_else_names_a_platform() -> None:
    wrong = []
    for name, words in WORDS.items():
        for file in [*ROOT.rglob("*.py"), *(CHECKOUT / "plugins").rglob("*.py"), *(CHECKOUT / "roles").rglob("*.yml")]:
            place = file.relative_to(CHECKOUT).as_posix()
            if place.startswith(owners(name)) or place in ALLOWED:
                continue
            lines = file.read_text(encoding="utf-8").splitlines()
            # An example in a docstring or a module's documentation teaches; code that decides by a name does not.
            wrong += [f"{place}: {line}" for line in lines if re.search(rf'["\']{name}["\']|import {name}\b', line)]
            if not place.startswith(("fleet/platforms/", "plugins/")):
                wrong += [f"{place}: {line}" for line in lines if re.search(words, line, re.IGNORECASE)]
    assert wrong == []


def test_each_says_what_it_takes_and_its_programs_tell_of_themselves() -> None:
    for name in platforms.known():
        chosen = platforms.platform(name)
        assert chosen.weight.memory > 0
        assert chosen.pages
        assert chosen.versioned_by
        assert set(chosen.clashes) <= set(platforms.known())
