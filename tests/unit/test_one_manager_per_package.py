"""Outside a manager's own package, role and documentation, no module names a manager, its labels or its resources."""

from __future__ import annotations

import re

from tests.unit.mentions import mentions

WORDS = re.compile(
    r"kube-?stellar|binding-?polic|manifest-?work|work-?status|managed-?cluster|\bplacements?\b|placementdecision|karmada|propagation_?policies|kubefleet|membercluster|kueue"
    r"|open-cluster-management|\bocm\b|\bwdse?s?\b|\bits(?:es)?[0-9_]|\bitses\b|kubeflex|kflex",
    re.IGNORECASE,
)
ALLOWED = {
    "results/format1.py": "the first format knew one manager",
    "results/format1_manager.py": "the first format knew one manager",
    "model/fleet_format1.py": "the first format knew one manager",
    "model/client_limits.py": "names of users' variables",
    "model/variables.py": "names of users' variables",
    "kube/resources.py": "every group, version and plural that this project uses, once",
    "toolchain/": "programs that are built",
    "platforms/kueue/": "the platform has the name that its manager of several clusters ends with",
    "experiments/wds_scaling.py": "an experiment that only one manager can do",
    "experiments/job_dispatch/": "the same",
}
"""Path or folder, and why."""


def test_no_module_names_a_manager() -> None:
    found = mentions(WORDS, r"managers/[^/]+/", ALLOWED)
    assert not found, "\n".join(found)
