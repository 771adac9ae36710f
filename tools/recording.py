"""Records the session of the README in a real terminal: `python -m tools.recording`.

Needs the extra `recording` (asciinema, termtosvg) and what `make toolchain` makes. It writes docs/images/terminal.cast,
which `asciinema play` plays, and an animated drawing of it, docs/images/terminal.svg.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.links import ROOT

IMAGES = ROOT / "docs" / "images"
SESSION = (
    "fleet doctor",
    "fleet plan 100",
    "fleet runs",
    "fleet report results/wec-scaling/reference",
    "fleet check results/wec-scaling/reference",
)
"""What needs no fleet: commands that read the machine, and a published run."""
COLUMNS, ROWS = 110, 32
READ = 2.0
"""Seconds that the end of a command's output is shown."""
IDLE = 1.0
"""Longer pauses are shown as this long."""
FRAME = (150, 4000)
"""Shortest and longest frame of the drawing, milliseconds."""


def main(arguments: list[str]) -> int:
    """Record and draw; with `--play`, be the session that is recorded."""
    if arguments == ["--play"]:
        return _play()
    programs = Path(sys.executable).parent
    cast = IMAGES / "terminal.cast"
    play = shlex.join([sys.executable, "-m", "tools.recording", "--play"])
    size = ["--cols", str(COLUMNS), "--rows", str(ROWS)]
    record = [str(programs / "asciinema"), "rec", "--quiet", "--overwrite", "--idle-time-limit", str(IDLE), *size]
    subprocess.run([*record, "--command", play, str(cast)], cwd=ROOT, check=True, timeout=1800)
    return draw(programs, cast, IMAGES / "terminal.svg")


def draw(programs: Path, cast: Path, drawing: Path) -> int:
    """The animated drawing of a recording."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / drawing.name
        frames = ["--min-frame-duration", str(FRAME[0]), "--max-frame-duration", str(FRAME[1])]
        command = [str(programs / "termtosvg"), "render", str(cast), str(made), *frames, "--template", "window_frame"]
        subprocess.run(command, check=True, timeout=600)
        drawing.write_bytes(made.read_bytes())
    return 0


def _play() -> int:
    for line in SESSION:
        print(f"\033[32m$\033[0m \033[1m{line}\033[0m", flush=True)
        program, *rest = shlex.split(line)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # as after activate
        done = subprocess.run([program, *rest], cwd=ROOT, env={**os.environ, "PATH": path}, check=False)
        if done.returncode:
            return done.returncode
        time.sleep(READ)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
