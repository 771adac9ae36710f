"""Started by the host for one machine: joins its control groups, then becomes the program that enters it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from fleet.lab.plan import enter


def main() -> None:
    """Does not return: the process becomes another program."""
    file = Path(sys.argv[1])
    document = json.loads(file.read_bytes())
    for group in document["cgroups"]:
        (Path(group) / "cgroup.procs").write_text("0", encoding="ascii")
    argv = enter(sys.executable, document["namespace"], file)
    os.execvp(argv[0], argv)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
