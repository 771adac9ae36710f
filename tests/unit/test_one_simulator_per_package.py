"""Outside a node simulator's own package no module names one: its package and the fleet file say all."""

from __future__ import annotations

import re
from pathlib import Path

import fleet
from fleet.simulators.simulator import known, simulator

ROOT = Path(fleet.__file__).parent
SIMULATORS = [name for name in known() if simulator(name).pages]
"""Those that run programs: `none` is a word of everybody."""
WORDS = re.compile(rf"\b({'|'.join(SIMULATORS)})\b", re.IGNORECASE)
ALLOWED = {
    "model/variables.py": "names, defaults and texts of users' variables",
    "model/fleet_file.py": "the default of a file of a release that had one simulator",
    "host/drivers/kind/config.py": "why a kind cluster's own node is tainted",
    "experiments/density/targets/kwokctl.py": "the reference that control planes are measured against",
    "kube/resources.py": "every group, version and plural that this project uses, once",
    "testing/": "fakes",
    "platforms/karpenter/": "its provider makes nodes of that type and no others",
    "experiments/karpenter_scale/": "the name of its provider's kinds",
    "platforms/kubevirt/": "one more kwok plays VMIs, whatever plays the nodes",
    "experiments/kubevirt_density/": "KubeVirt's test is about nodes of that type, and says how late they were played",
}
"""Path or folder, and why."""


def places() -> list[str]:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        inside = name.startswith("simulators/") and name.count("/") > 1
        if inside or any(name == one or (one.endswith("/") and name.startswith(one)) for one in ALLOWED):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if word := WORDS.search(line):
                found.append(f"{name}:{number}: {word[0]}")
    return found


def test_no_module_names_a_simulator() -> None:
    assert "kwok" in SIMULATORS
    found = places()
    assert not found, "\n".join(found)


def test_what_names_one_is_found() -> None:
    assert WORDS.search('SHARED = {"kwok"}')
