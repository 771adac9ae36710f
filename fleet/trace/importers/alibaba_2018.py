"""Alibaba's cluster trace v2018: table `batch_instance`, and `batch_task` for requests when it lies in the same folder.

Files have no header line. Times are whole seconds; an instance's creation is not recorded: `t` is its start.
"""

from __future__ import annotations

from pathlib import Path

from fleet.model.trace import Owner
from fleet.trace.file import Trace
from fleet.trace.importers.importer import Machine, Row, Told, rows, trace
from fleet.trace.lives import Life, lines

INSTANCE = ("instance_name", "task_name", "job_name", "task_type", "status", "start_time", "end_time", "machine_id",
            "seq_no", "total_seq_no", "cpu_avg", "cpu_max", "mem_avg", "mem_max")  # fmt: skip
TASK = ("task_name", "instance_num", "job_name", "task_type", "status", "start_time", "end_time", "plan_cpu",
        "plan_mem")  # fmt: skip
TASK_FILES = ("batch_task.csv", "batch_task.csv.gz")
STATUSES = ("Ready", "Waiting", "Running", "Terminated", "Failed", "Cancelled", "Interrupted")
NEVER = "instances that never started"


class Alibaba2018:
    """One file of instances."""

    name = "alibaba-2018"
    text = "batch_instance.csv of Alibaba's trace v2018 (requests from batch_task.csv alongside it)"

    def read(self, file: Path, machine: Machine) -> Trace:
        """As the protocol says; plan_cpu is in hundredths of a core, plan_mem in hundredths of `machine`'s memory."""
        tasks = next((file.parent / name for name in TASK_FILES if (file.parent / name).is_file()), None)
        plans = _plans(tasks, machine) if tasks is not None else {}
        lives: list[Life] = []
        keys: set[str] = set()
        never, last = 0, 0.0
        for row in rows(file, INSTANCE, header=False):
            life = _life(row, plans)
            if life is None:
                never += 1
                continue
            while life.key in keys:  # a later attempt of an instance has its name
                life.key += "+"
            keys.add(life.key)
            lives.append(life)
            last = max(last, life.ended or life.deleted or life.running or 0.0)
        zero = min((life.running for life in lives if life.running is not None), default=0.0)
        made = lines(lives, zero)
        untold = {"wait": "an instance's creation is not recorded", "exit": "the trace has no exit codes",
                  "priority": "the trace has none"}  # fmt: skip
        if tasks is None:
            untold["requests"] = f"{TASK_FILES[0]} does not lie alongside the file"
        told = Told(
            self.name, "source-s", complete=True, untold=untold, left_out={**made.left_out, NEVER: never},
            notes=["t is the start of the instance"], licence="see the data set",
            attribution="Alibaba Cluster Trace v2018",
        )  # fmt: skip
        return trace(told, made.pods, last - zero, file)


def _plans(file: Path, machine: Machine) -> dict[tuple[str, str], dict[str, str]]:
    cores = Machine(cpu="1", memory=machine.memory)
    found = {}
    for row in rows(file, TASK, header=False):
        cpu, memory = row.number("plan_cpu"), row.number("plan_mem")
        requests = cores.requests(None if cpu is None else cpu / 100, None if memory is None else memory / 100)
        found[row.text("job_name"), row.text("task_name")] = requests
    return found


def _life(row: Row, plans: dict[tuple[str, str], dict[str, str]]) -> Life | None:
    status, start, end = row.text("status"), row.number("start_time"), row.number("end_time")
    if status not in STATUSES:
        raise row.wrong("status", f"{status[:40]!r} is none of {', '.join(STATUSES)}")
    if not start:
        return None
    if end and end < start:
        raise row.wrong("end_time", f"{end:g} lies before its start ({start:g})")
    job, task = row.text("job_name"), row.text("task_name")
    life = Life(f"{job}/{row.text('instance_name')}", running=start, owner=Owner(kind="Job", name=job))
    life.node = row.text("machine_id") or None
    life.requests = plans.get((job, task), {})
    if end and status in ("Terminated", "Failed"):
        life.ended, life.succeeded = end, status == "Terminated"
    elif end and status in ("Cancelled", "Interrupted"):
        life.deleted = end
    return life


IMPORTER = Alibaba2018()
