"""What starting the program loads: nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = (
    "pandas",
    "numpy",
    "kubernetes",
    "matplotlib",
    "scipy",
    "aiohttp",
    "pyarrow",
    "ansible",
    "ansible_runner",
    "rich",
)


def loaded(statement: str) -> set[str]:
    """Names of the top-level packages in sys.modules after `statement`, in a process of its own."""
    names = "sorted({name.split('.')[0] for name in sys.modules})"
    code = f"{statement}\nimport json, sys\nprint('@' + json.dumps({names}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found: list[str] = json.loads(done.stdout.rpartition("@")[2])
    return set(found)


@pytest.mark.parametrize(
    "statement",
    [
        "import fleet",
        "import fleet.errors",
        "import fleet.model.fleet_load, fleet.model.experiment_load, fleet.model.yaml_source",
        "import fleet.cli.program",
        "from fleet.cli.program import run\nassert run(['--help']) == 0",
        "from fleet.cli.program import run\nassert run(['experiment', 'run', '--help']) == 0",
    ],
)
def test_cold_start_loads_nothing_heavy(statement: str) -> None:
    assert loaded(statement).isdisjoint(HEAVY)


def test_help_loads_no_pydantic_and_no_yaml() -> None:
    names = loaded("from fleet.cli.program import run\nassert run(['--help']) == 0")
    assert "fleet" in names
    assert names.isdisjoint({"yaml", "psutil", "supervisor"})
