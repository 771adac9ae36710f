"""What is seen of a Job and of its Workload, and the stages between."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.kube.resources import JOBS
from fleet.managers.fields import entries, text
from fleet.model.stage import Stage
from fleet.observe.marks import Mark, Object

JOB = str(JOBS)
RESERVED, ADMITTED = "reserved", "admitted"
"""Of a Workload at the hub: the hub's queue has room; a worker has taken it."""
STARTED, FINISHED = "started", "finished"
"""Of a Job, at the hub or in its worker: a pod of it is active; it is Complete."""
FAILED = "failed"
ARRIVED, DONE = "arrived", "done"
"""What `created` and `finished` of the Job in its worker are to the Job at the hub."""

STAGES = (
    Stage(name="reservation", begin="sent", end=RESERVED, text="Job sent, quota at the hub reserved"),
    Stage(name="dispatch", begin="sent", end=ARRIVED, text="Job sent, Job in its worker"),
    Stage(name="execution", begin=ARRIVED, end=DONE, text="Job in its worker, finished there"),
    Stage(name="return", begin=DONE, end=FINISHED, text="Job finished in its worker, finished at the hub"),
    Stage(name="completion", begin="sent", end=FINISHED, text="Job sent, finished at the hub"),
)
"""Of one Job."""


def of_job(job: Object) -> Iterator[Mark]:
    """The marks that this version of a Job has reached."""
    status = job.get("status") or {}
    if status.get("active"):
        yield STARTED
    for one in entries(job, "status", "conditions"):
        if text(one, "status") == "True" and text(one, "type") in ("Complete", "Failed"):
            yield FINISHED if text(one, "type") == "Complete" else FAILED


def of_workload(workload: Object) -> Iterator[Mark]:
    """The same of a Workload, with the name of the Job that it is of."""
    job = next((meta_name for one in entries(workload, "metadata", "ownerReferences")
                if text(one, "kind") == JOBS.kind and (meta_name := text(one, "name"))), "")  # fmt: skip
    for one in entries(workload, "status", "conditions"):
        if text(one, "status") != "True":
            continue
        if text(one, "type") == "QuotaReserved":
            yield RESERVED, job
        elif text(one, "type") == "Admitted":
            yield ADMITTED, job
