"""What hollow nodes take of a machine; docs/how-to/hollow-nodes.md has the measurements."""

from __future__ import annotations

from dataclasses import replace

from fleet.host.weight import MIB, Weight

PER_NODE = Weight(3 * MIB, 1, 2, 0, 1, 1 * MIB)
"""Its threads are goroutines; it watches the folder of its plugins; its disk holds logs and volumes of pods."""
PER_PROCESS = Weight(60 * MIB, 1, 1, 40, 0, 20 * MIB)
"""What one costs without a node, threads of the runtime, and its log."""
PER_NODE_OF_POD = replace(PER_NODE, ports=0)
"""A pod has its own."""


def memory(nodes: int) -> int:
    """Bytes of a process with so many nodes."""
    return PER_PROCESS.memory + nodes * PER_NODE.memory
