"""Who runs first on a machine that is full: the driver, because a stamp must not wait for the programs that it stamps.

On two cores with a hundred WECs at work the driver waited 2.3 of every 10 seconds for a core, at niceness -10, and
0.001 as a real-time process (`/proc/PID/schedstat`): a kernel without voluntary preemption lets a woken process wait
for the next tick, and niceness does not reach beyond its own session's group (`sched_autogroup_enabled`).
"""

from __future__ import annotations

import contextlib
import os

NICENESS = -10
_LOWEST = os.sched_param(1)


def take() -> None:
    """Make this process and the threads that it will start real-time, or else less nice, as far as this user may.

    The driver sleeps until a line comes and takes a few hundredths of a core; the kernel keeps 5 % from real-time
    processes.
    """
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
        os.sched_setscheduler(0, os.SCHED_RR, _LOWEST)


def give_up() -> None:
    """Back to what everybody has: for a program that the driver started and that is not the driver."""
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    raised = -os.getpriority(os.PRIO_PROCESS, 0)
    if raised > 0:
        os.nice(raised)


def note() -> str:
    """What run.json says of it; empty for a process like any other."""
    if os.sched_getscheduler(0) == os.SCHED_RR:
        return "the driver ran as a real-time process"
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    return f"the driver ran at niceness {nice}" if nice else ""
