"""Programs of the controller that building an image calls."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from fleet.errors import ToolchainError

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""An ordinary PATH may lack the sbin folders, where debootstrap and chroot lie."""
TAIL = 800
"""Characters of a program's own words that an error repeats."""


def run(argv: Sequence[str], *, seconds: float) -> str:
    """Run a program of root's PATH to its end; what it printed. ToolchainError when it fails or takes longer."""
    environment = {**os.environ, "PATH": SYSTEM_PATH, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=seconds, check=False)
    except OSError as error:
        raise ToolchainError(f"{argv[0]} cannot be run ({error}): the role kind_node_image installs it") from error
    except subprocess.TimeoutExpired as error:
        raise ToolchainError(f"{argv[0]} took more than {seconds:.0f} s") from error
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip())[-TAIL:]
        raise ToolchainError(f"{' '.join(argv[:2])} failed with {done.returncode}: {words}")
    return done.stdout


def require(*programs: str) -> None:
    """ToolchainError naming what is not installed."""
    missing = [name for name in programs if shutil.which(name, path=SYSTEM_PATH) is None]
    if missing:
        raise ToolchainError(
            f"the kind node image is built with {', '.join(missing)}, which this machine lacks: "
            f"install it (apt-get install debootstrap util-linux), or set kind_node_image to a published image"
        )
