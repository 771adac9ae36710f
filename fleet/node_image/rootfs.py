"""The files of a node: Debian's packages, our own over them, the programs, and the images inside."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from fleet.host.image_archive import Settings, write_archive
from fleet.node_image.commands import run
from fleet.node_image.preload import preload
from fleet.node_image.recipe import CONTROL_PLANE, KUBERNETES, NODE, PACKAGES, SUITE, Recipe

DEBOOTSTRAP_SECONDS = 1800.0
TAR_SECONDS = 600.0
UNWANTED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/info",
    "var/cache/apt",
    "var/lib/apt/lists",
)
"""A fifth of what debootstrap leaves; nothing in a node reads it."""
UNITS = ("containerd.service", "kubelet.service")


def debootstrap(into: Path, mirror: str) -> None:
    """Debian's packages into the new folder `into`; needs root. `mirror` empty: debootstrap's own choice."""
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(into)]
    run([*command, mirror] if mirror else command, seconds=DEBOOTSTRAP_SECONDS)
    for name in UNWANTED:
        shutil.rmtree(into / name, ignore_errors=True)
    for log in (into / "var" / "log").rglob("*"):
        if log.is_file():
            log.unlink()


def dress(root: Path, recipe: Recipe, work: Path) -> None:
    """Make a node of Debian's files in `root`."""
    _units(root)
    shutil.copytree(recipe.rootfs, root, dirs_exist_ok=True)
    for unit in UNITS:
        _link(root / "etc/systemd/system/multi-user.target.wants" / unit, f"/etc/systemd/system/{unit}")
    _link(root / "etc/systemd/system/default.target", "/lib/systemd/system/multi-user.target")
    first = root / "usr/bin" / NODE[0]
    shutil.copy2(recipe.node.program(NODE[0]), first)
    first.chmod(0o755)
    for name in NODE[1:]:
        os.link(first, root / "usr/bin" / name)
    (root / "kind").mkdir(exist_ok=True)
    (root / "kind/version").write_text(f"{KUBERNETES}\n", encoding="ascii")
    for folder in ("etc/kubernetes/manifests", "var/lib/kubelet"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    _base_runtime_spec(root)
    preload(root, [_image(recipe, name, work) for name in recipe.images], work)


def pack(root: Path, out: Path) -> None:
    """All files below `root` as a tar file that depends on nothing but them."""
    command = ["tar", "--sort=name", "--mtime=@0", "--numeric-owner", "--one-file-system", "-C", str(root)]
    run([*command, "-cf", str(out), "."], seconds=TAR_SECONDS)


def unpack(archive: Path, root: Path) -> None:
    """The opposite of `pack`, into a new folder."""
    root.mkdir()
    run(["tar", "--numeric-owner", "--same-permissions", "-C", str(root), "-xf", str(archive)], seconds=TAR_SECONDS)


def _units(root: Path) -> None:
    """Nothing that a real machine starts runs in a node: log-in prompts, timers, file system checks."""
    for folder in (root / "etc/systemd/system", root / "lib/systemd/system"):
        for wants in folder.glob("*.wants"):
            for unit in wants.iterdir():
                if not unit.name.startswith(("systemd-journald", "dbus", "systemd-tmpfiles-setup.service")):
                    unit.unlink()


def _link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _base_runtime_spec(root: Path) -> None:
    """containerd's default for a container, without its limits: raising one needs CAP_SYS_RESOURCE."""
    spec = json.loads(run(["chroot", str(root), "ctr", "oci", "spec"], seconds=60.0))
    spec["process"].pop("rlimits", None)
    (root / "etc/containerd/base-runtime-spec.json").write_text(json.dumps(spec), encoding="utf-8")


def _image(recipe: Recipe, name: str, work: Path) -> Path:
    """One image inside the node: static programs in an empty file system."""
    folder = work / name
    folder.mkdir()
    if name == "pause":
        _program(recipe.node.program("pause"), folder / "pause")
        settings = Settings(recipe.architecture, entrypoint=("/pause",))
    else:
        binaries = folder / "usr/local/bin"
        binaries.mkdir(parents=True)
        first = binaries / CONTROL_PLANE[0]
        _program(recipe.control_plane.program(CONTROL_PLANE[0]), first)
        for other in CONTROL_PLANE[1:]:
            os.link(first, binaries / other)
        settings = Settings(recipe.architecture, environment=("PATH=/usr/local/bin",))
    layer, out = work / f"{name}.layer.tar", work / f"{name}.tar"
    pack(folder, layer)
    write_archive(layer, settings, recipe.images[name], out)
    layer.unlink()
    return out


def _program(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    target.chmod(0o755)
