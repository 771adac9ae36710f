"""The driver's priority, in a process of its own: what is taken is noted, and given up again."""

import subprocess
import sys

PROGRAM = """
import os
from fleet.observe import priority
os.setpriority(os.PRIO_PROCESS, 0, max(os.getpriority(os.PRIO_PROCESS, 0), 0))
priority.take()
taken = priority.note()
assert (taken != "") == (os.getpriority(os.PRIO_PROCESS, 0) < 0 or os.sched_getscheduler(0) == os.SCHED_RR), taken
priority.give_up()
assert os.sched_getscheduler(0) == os.SCHED_OTHER
assert os.getpriority(os.PRIO_PROCESS, 0) >= 0
print(priority.note() or "as everybody")
"""


def test_what_was_taken_is_given_up() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "as everybody"
