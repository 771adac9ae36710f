"""Programs of a fleet that run as pods inside a control plane's real node: the record of them, alongside the node's.

No supervisor knows them; their control plane does. The record says which process of the node is which program.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fleet.host.files import write_private
from fleet.host.layout import Layout
from fleet.host.plan import render_json

FILE = "pods.json"
"""In the folder of the control plane."""


@dataclass(frozen=True)
class PodProgram:
    """One of them."""

    program: str
    """`<name>.<control plane>`, as programs of the supervisor are called."""
    component: str
    namespace: str
    deployment: str
    argument: str
    """Of its command line, which no other process of the node has."""


def pod_programs(layout: Layout, cluster: str) -> list[PodProgram]:
    """Those of one control plane, by name; none where there is no record."""
    return _read(layout.cluster(cluster) / FILE)


def all_pod_programs(layout: Layout) -> dict[str, list[PodProgram]]:
    """Those of every control plane that has any."""
    return {file.parent.name: _read(file) for file in sorted(layout.clusters.glob(f"*/{FILE}"))}


def write_pod_programs(layout: Layout, cluster: str, programs: Sequence[PodProgram]) -> None:
    """Replace the record; without programs there is none."""
    file = layout.cluster(cluster) / FILE
    if programs:
        write_private(file, render_json([asdict(one) for one in programs]).encode())
    else:
        file.unlink(missing_ok=True)


def _read(file: Path) -> list[PodProgram]:
    try:
        return [PodProgram(**entry) for entry in json.loads(file.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return []
