"""Builds the node image when the cache has none: under a lock, into a folder renamed at the end."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from fleet import toolchain
from fleet.errors import ToolchainError
from fleet.host.image_archive import Settings, write_archive
from fleet.node_image import rootfs
from fleet.node_image.commands import require
from fleet.node_image.recipe import Recipe
from fleet.toolchain import Toolchain
from fleet.toolchain.store import default_cache

REPOSITORY = "fleet/kind-node"
ARCHIVE = "image.tar.gz"
PARTIAL = ".partial-"
PUBLISHED = "kindest/node:v1.34.0@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a"
"""The image that kind v0.30.0 was tested with (its pkg/apis/config/defaults/image.go)."""

Say = Callable[[str], None]
"""Hears one line for each long step."""


@dataclass(frozen=True)
class NodeImage:
    """`reference` is how an engine knows it; `archive` is a file for `docker load`, None for one that is pulled."""

    reference: str
    archive: Path | None


def published(reference: str = PUBLISHED) -> NodeImage:
    """An image from a registry; ToolchainError when it is not pinned by digest."""
    if "@sha256:" not in reference:
        raise ToolchainError(f"kind_node_image: {reference}: pin it by digest, as name:tag@sha256:...")
    return NodeImage(reference, None)


def find(source: Path, control_plane: Toolchain, cache: Path | None = None) -> NodeImage | None:
    """The image for these sources if the cache has it; builds nothing."""
    try:
        node = toolchain.locate(source, cache)
    except toolchain.ToolchainMissing:
        return None
    recipe = Recipe.of(source, control_plane, node)
    image = _image(_home(cache) / recipe.digest)
    return image if image.archive is not None and image.archive.exists() else None


def ensure(
    source: Path, control_plane: Toolchain, say: Say, *, mirror: str = "", cache: Path | None = None
) -> NodeImage:
    """The image of the folder `source` (`node_image/`) with the control plane of the project's toolchain.

    Needs root, debootstrap, chroot and unshare when it must be built; ToolchainError names what is missing or failed.
    """
    found = find(source, control_plane, cache)
    if found is not None:
        return found
    require("debootstrap", "chroot", "unshare", "tar")
    if os.geteuid() != 0:
        raise ToolchainError(
            "the kind node image is built with debootstrap, which needs root: run as root, or set kind_node_image to a "
            "published image"
        )
    say("node image: kubelet, kubeadm and kubectl; with nothing cached about 6 minutes on 2 cores")
    node = toolchain.ensure(source, cache, lambda _: None)
    recipe = Recipe.of(source, control_plane, node)
    home = _home(cache)
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / ".lock"):
        for stale in home.glob(f"{PARTIAL}*"):  # the lock is ours: its builder is dead
            shutil.rmtree(stale)
        target = home / recipe.digest
        if not target.exists():
            partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=home))
            try:
                _build(recipe, home, partial, mirror, say)
                partial.rename(target)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    return _image(target)


def _build(recipe: Recipe, home: Path, partial: Path, mirror: str, say: Say) -> None:
    base = home / f"base-{recipe.base_digest}.tar"
    work = partial / "work"
    work.mkdir()
    if not base.exists():
        say("node image: Debian's packages; about 3 minutes")
        rootfs.debootstrap(work / "base", mirror)
        rootfs.pack(work / "base", work / base.name)
        (work / base.name).rename(base)
    say("node image: putting it together; about half a minute")
    root = work / "root"
    rootfs.unpack(base, root)
    rootfs.dress(root, recipe, work)
    layer = work / "layer.tar"
    rootfs.pack(root, layer)
    settings = Settings(
        recipe.architecture,
        environment=("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "container=docker"),
        entrypoint=("/usr/local/bin/entrypoint", "/sbin/init"),
        stop_signal="SIGRTMIN+3",
    )
    write_archive(layer, settings, [f"{REPOSITORY}:{recipe.digest}"], partial / ARCHIVE, compress=True)
    shutil.rmtree(work)


def _image(folder: Path) -> NodeImage:
    return NodeImage(f"{REPOSITORY}:{folder.name}", folder / ARCHIVE)


def _home(cache: Path | None) -> Path:
    return (cache or default_cache()) / "node-image"
