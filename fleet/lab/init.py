"""The first process of a machine: gives it its mounts, name, user and keys, then becomes its SSH server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PRIVATE, PUBLIC = 0o600, 0o644
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def main() -> None:
    """Does not return: the process becomes sshd, which also collects the machine's orphans."""
    document = json.loads(Path(sys.argv[1]).read_bytes())
    # Whoever started us may keep all to himself, as our Ansible modules do; here users must get into /etc and /home.
    os.umask(0o022)
    for folder in document["folders"]:
        Path(folder).mkdir(parents=True, exist_ok=True)
    for argv in document["mounts"]:
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    furnish(document, Path("/"))
    os.chdir("/")
    socket.sethostname(document["hostname"])
    os.execve(document["sshd"][0], document["sshd"], ENVIRONMENT)  # noqa: S606 - no shell is wanted


def furnish(document: Mapping[str, Any], root: Path) -> None:
    """Write the machine's own files below `root`; `append` grows copies of the host's, so it knows the host's users."""
    for name, text in document["files"].items():
        mode = PRIVATE if name.endswith("key") else PUBLIC
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        # Replaced, not opened: the host's file may be a link to somewhere else.
        file.unlink(missing_ok=True)
        file.touch(mode=mode)
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)
    for name, line in document["append"].items():
        file = root / name
        kept = [old for old in file.read_text(encoding="utf-8").splitlines() if not old.startswith(_user(line))]
        file.write_text("\n".join([*kept, line, ""]), encoding="utf-8")
    home = root / document["home"]
    home.mkdir(mode=0o700, exist_ok=True)
    os.chown(home, document["uid"], document["uid"])
    (root / "run/sshd").mkdir(mode=0o755, parents=True, exist_ok=True)


def _user(line: str) -> str:
    return line.split(":", 1)[0] + ":"


if __name__ == "__main__":
    main()
