"""The image of hollow nodes: the program, which is static, and the two files and folders that it looks for."""

from __future__ import annotations

import hashlib
import io
import platform
import tarfile
import tempfile
from pathlib import Path

from fleet.host.image_archive import Settings, write_archive
from fleet.simulators.hollow.program import COMPONENT

REPOSITORY = "localhost/fleet-hollow"
"""No registry has it, and no pod may ask one: `imagePullPolicy: Never`."""
USERS = {"etc/passwd": b"root:x:0:0:root:/:\n", "etc/group": b"root:x:0:\n"}
"""A kubelet looks for a user of its own name, and ends where there is no file to look in."""
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def reference_of(program: Path) -> str:
    """Named by what is in it."""
    with program.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
    for name, text in USERS.items():
        digest.update(name.encode() + text)
    return f"{REPOSITORY}:{digest.hexdigest()[:16]}"


def write_image(program: Path, out: Path) -> None:
    """The archive for a container runtime to load."""
    machine = platform.machine()
    settings = Settings(ARCHITECTURES.get(machine, machine), entrypoint=(f"/{COMPONENT}",))
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".image-") as folder:
        layer = Path(folder) / "layer.tar"
        with tarfile.open(layer, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, mode in (("tmp", 0o1777), ("etc", 0o755)):
                folder_info = tarfile.TarInfo(name)
                folder_info.type, folder_info.mode = tarfile.DIRTYPE, mode
                tar.addfile(folder_info)
            for name, text in USERS.items():
                file = tarfile.TarInfo(name)
                file.size, file.mode = len(text), 0o644
                tar.addfile(file, io.BytesIO(text))
            info = tarfile.TarInfo(COMPONENT)
            info.size, info.mode = program.stat().st_size, 0o755
            with program.open("rb") as stream:
                tar.addfile(info, stream)
        write_archive(layer, settings, [reference_of(program)], out)
