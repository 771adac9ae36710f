"""Puts images into the containerd of a node that is not running yet: its own containerd, for a moment, in a chroot."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from fleet.errors import ToolchainError
from fleet.node_image.commands import SYSTEM_PATH, run

START_SECONDS = 30.0
IMPORT_SECONDS = 300.0
POLL = 0.1
FOLDER = "preload"
"""Below the node's root, for the time being: configuration, socket, archives."""
CONFIG = f"""\
version = 2
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
state = "/{FOLDER}/state"
[grpc]
  address = "/{FOLDER}/containerd.sock"
[ttrpc]
  address = "/{FOLDER}/containerd.ttrpc.sock"
"""


def preload(root: Path, archives: Sequence[Path], work: Path) -> None:
    """Import image archives into `<root>/var/lib/containerd`; each node unpacks them when it first starts.

    The containerd runs in mount and process namespaces of its own and ends with them; ToolchainError has its words.
    """
    folder = root / FOLDER
    folder.mkdir()
    (folder / "config.toml").write_text(CONFIG, encoding="ascii")
    log = work / "preload.log"
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={root / 'proc'}"]
    with log.open("wb") as words:
        daemon = subprocess.Popen(
            [*command, "chroot", str(root), "containerd", "--config", f"/{FOLDER}/config.toml"],
            env={"PATH": SYSTEM_PATH},
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
        )
    client = ["chroot", str(root), "ctr", f"--address=/{FOLDER}/containerd.sock", "--namespace=k8s.io"]
    try:
        _wait(daemon, client, log)
        for archive in archives:
            inside = folder / archive.name
            archive.rename(inside)
            run([*client, "images", "import", "--no-unpack", f"/{FOLDER}/{archive.name}"], seconds=IMPORT_SECONDS)
            inside.unlink()
    finally:
        _end(daemon)
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def _end(daemon: subprocess.Popen[bytes]) -> None:
    """unshare passes no signal on, so its child gets it; with unshare's own death it would be killed."""
    for child in psutil.Process(daemon.pid).children():
        child.terminate()
    try:
        daemon.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _wait(daemon: subprocess.Popen[bytes], client: Sequence[str], log: Path) -> None:
    """Until it answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            run([*client, "version"], seconds=START_SECONDS)
        except ToolchainError as error:
            if daemon.poll() is not None or time.monotonic() > deadline:
                words = log.read_text(encoding="utf-8", errors="replace")[-800:]
                raise ToolchainError(f"containerd of the node image did not start: {error}\n{words}") from error
        else:
            return
        time.sleep(POLL)
