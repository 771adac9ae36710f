"""What decides the name of a node image, and that its sources fit the toolchain's."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fleet.errors import ToolchainError
from fleet.node_image import find, published
from fleet.node_image.commands import require, run
from fleet.node_image.recipe import CONTROL_PLANE, ETCD_TAG, KUBERNETES, NODE, PAUSE_TAG, Recipe
from fleet.toolchain import Part, Toolchain, catalogue

ROOT = Path(__file__).parents[3]


def toolchain(folder: Path, names: tuple[str, ...], version: str = KUBERNETES) -> Toolchain:
    folder.mkdir()
    programs = {name: folder / name for name in names}
    for name, path in programs.items():
        path.write_text(name)
    return Toolchain((Part("test", folder, "sha256:0", dict.fromkeys(names, version), programs, {}),))


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    source = tmp_path / "source"
    shutil.copytree(ROOT / "node_image" / "rootfs", source / "rootfs")
    control, node = toolchain(tmp_path / "a", CONTROL_PLANE), toolchain(tmp_path / "b", (*NODE, "pause"))
    return Recipe.of(source, control, node)


def test_everything_that_goes_in_changes_the_name(recipe: Recipe) -> None:
    def set_mode() -> None:
        (recipe.rootfs / "usr/local/bin/entrypoint").chmod(0o644)

    def add_file() -> None:
        (recipe.rootfs / "new").write_text("x")

    def new_program(which: Toolchain, name: str) -> Callable[[], None]:
        return lambda: which.program(name).write_text("other") and None

    names = [recipe.digest, replace(recipe, architecture="s390x").digest]
    for change in (set_mode, add_file, new_program(recipe.control_plane, "etcd"), new_program(recipe.node, "pause")):
        change()
        names.append(recipe.digest)
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[0-9a-f]{16}", name) for name in names)


def test_the_images_are_those_that_kubeadm_asks_for(recipe: Recipe) -> None:
    assert recipe.images["pause"] == ("registry.k8s.io/pause:3.10.1",)
    assert recipe.images["control-plane"] == (
        "registry.k8s.io/kube-apiserver:v1.34.4",
        "registry.k8s.io/kube-controller-manager:v1.34.4",
        "registry.k8s.io/kube-scheduler:v1.34.4",
        "registry.k8s.io/etcd:3.6.5-0",
    )
    assert (ETCD_TAG, PAUSE_TAG) == ("3.6.5-0", "3.10.1")


def test_another_kubernetes_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    other = toolchain(tmp_path / "c", CONTROL_PLANE, "v1.33.0")
    with pytest.raises(ToolchainError, match=r"kube-apiserver is v1\.33\.0, the node image needs v1\.34\.4"):
        Recipe.of(recipe.rootfs.parent, other, recipe.node)


def test_both_source_folders_pin_the_same_versions() -> None:
    ours, theirs = catalogue.load(ROOT / "node_image"), catalogue.load(ROOT / "toolchain")
    assert ours.versions["kubelet"] == theirs.versions["kube-apiserver"] == KUBERNETES
    assert ours.go_wheel == theirs.go_wheel
    assert ours.groups["node"].variables == theirs.groups["controlplane"].variables


def test_the_configuration_names_the_pause_that_is_inside() -> None:
    text = (ROOT / "node_image/rootfs/etc/containerd/config.toml").read_text(encoding="utf-8")
    assert f'sandbox_image = "registry.k8s.io/pause:{PAUSE_TAG}"' in text


def test_nothing_is_found_where_nothing_was_built(tmp_path: Path) -> None:
    control = toolchain(tmp_path / "a", CONTROL_PLANE)
    assert find(ROOT / "node_image", control, tmp_path / "cache") is None


def test_a_published_image_is_pinned() -> None:
    assert published().archive is None
    assert published("a/b:1@sha256:00").reference == "a/b:1@sha256:00"
    with pytest.raises(ToolchainError, match="pin it by digest"):
        published("a/b:1")


def test_failures_say_what_to_install_or_what_was_said() -> None:
    with pytest.raises(ToolchainError, match="no-such-program, which this machine lacks"):
        require("sh", "no-such-program")
    with pytest.raises(ToolchainError, match=r"ls /no/such/folder failed with \d+: .*No such file"):
        run(["ls", "/no/such/folder"], seconds=10)
    with pytest.raises(ToolchainError, match="took more than 0 s"):
        run(["sleep", "5"], seconds=0.1)
