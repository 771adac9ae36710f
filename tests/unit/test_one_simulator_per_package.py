"""Outside a node simulator's own package no module names one: its package and the fleet file say all."""

from __future__ import annotations

import re

from fleet.simulators.simulator import known, simulator
from tests.unit.mentions import mentions

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


def test_no_module_names_a_simulator() -> None:
    assert "kwok" in SIMULATORS
    found = mentions(WORDS, r"simulators/[^/]+/", ALLOWED)
    assert not found, "\n".join(found)


def test_what_names_one_is_found() -> None:
    assert WORDS.search('SHARED = {"kwok"}')
