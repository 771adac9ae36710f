"""Alibaba's GPU trace of 2023: `openb_pod_list_*.csv`, real Kubernetes pods with GPU requests.

`deletion_time` is when the pod object went. Only a pod that Succeeded or Failed ended by itself, at a moment that the
trace does not show better than by that deletion. Shared GPUs are reported in thousandths: `alibabacloud.com/gpu-milli`.
"""

from __future__ import annotations

from pathlib import Path

from fleet.trace.file import Trace
from fleet.trace.importers.importer import Machine, Row, Told, rows, trace
from fleet.trace.lives import Life, lines

COLUMNS = ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "gpu_spec", "qos", "pod_phase", "creation_time",
           "deletion_time", "scheduled_time")  # fmt: skip
PHASES = ("Pending", "Running", "Succeeded", "Failed")
GPU = "nvidia.com/gpu"
GPU_MILLI = "alibabacloud.com/gpu-milli"
WHOLE = 1000
"""Thousandths of a GPU."""


class AlibabaGpu2023:
    """One list of pods."""

    name = "alibaba-gpu-2023"
    text = "openb_pod_list_*.csv of Alibaba's GPU trace of 2023"

    def read(self, file: Path, machine: Machine) -> Trace:  # noqa: ARG002 - requests are reported as they are
        """As the protocol says."""
        lives = [_life(row) for row in rows(file, COLUMNS, header=True)]
        zero = min((life.created for life in lives if life.created is not None), default=0.0)
        last = max((life.deleted or life.ended or life.created or 0.0 for life in lives), default=0.0)
        made = lines(lives, zero)
        untold = {"exit": "the trace has no exit codes", "owner": "the trace has none", "node": "the trace has none",
                  "priority": "the trace has none"}  # fmt: skip
        told = Told(
            self.name, "source-s", complete=True, untold=untold, left_out=made.left_out,
            notes=["a pod runs from its scheduling on, and ends with its deletion"], licence="see the data set",
            attribution="Q. Weng et al., Beware of Fragmentation, USENIX ATC '23; Alibaba cluster-trace-gpu-v2023",
        )  # fmt: skip
        return trace(told, made.pods, last - zero, file)


def _life(row: Row) -> Life:
    phase, created = row.text("pod_phase"), row.number("creation_time")
    if phase not in PHASES:
        raise row.wrong("pod_phase", f"{phase[:40]!r} is none of {', '.join(PHASES)}")
    if created is None:
        raise row.wrong("creation_time", "is missing")
    deleted, scheduled = row.number("deletion_time"), row.number("scheduled_time")
    for name, moment in (("deletion_time", deleted), ("scheduled_time", scheduled)):
        if moment is not None and moment < created:
            raise row.wrong(name, f"{moment:g} lies before the creation ({created:g})")
    life = Life(row.text("name"), created=created, bound=scheduled, running=scheduled)
    if phase in ("Succeeded", "Failed"):
        life.ended, life.succeeded = deleted, phase == "Succeeded"
    else:
        life.deleted = deleted
    cpu, memory, gpus, milli = (row.number(name) for name in ("cpu_milli", "memory_mib", "num_gpu", "gpu_milli"))
    found = {"cpu": f"{cpu:.0f}m" if cpu else "", "memory": f"{memory:.0f}Mi" if memory else ""}
    if gpus:
        shared = gpus == 1 and milli is not None and milli < WHOLE
        found |= {GPU_MILLI: f"{milli:.0f}"} if shared else {GPU: f"{gpus:.0f}"}
    life.requests = {name: value for name, value in found.items() if value}
    return life


IMPORTER = AlibabaGpu2023()
