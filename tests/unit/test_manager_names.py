"""No module outside of a manager's own package names a manager, its labels or its resources."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fleet

ROOT = Path(fleet.__file__).parent
PACKAGES = ("experiment", "experiments", "workload", "observe")
"""Those that are held to it."""
NAMES = re.compile(
    r"(?i:kubestellar)|open-cluster-management|\b(OCM|ocm)\b|\bITS(es)?\b|\bWDS(es)?\b|BindingPolic|BINDING_POLIC|\bBINDINGS\b"
    r"|ManifestWork|MANIFEST_WORK|WorkStatus|WORK_STATUS|MANAGED_CLUSTER|ManagedCluster|\bPlacement\b"
)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_names_a_manager(package: str) -> None:
    found = []
    for file in sorted((ROOT / package).rglob("*.py")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if NAMES.search(line):
                found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not found, "\n".join(found)
