"""Groups that an earlier release built: same sources, same stanza, same Go, so the same programs.

Such a release kept many groups in one folder, and what each was built from in `groups.json` alongside the manifest.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from fleet.errors import ToolchainError
from fleet.model.checksum import sha256_of
from fleet.toolchain.catalogue import Catalogue
from fleet.toolchain.store import Manifest, read_manifest

FILE = "groups.json"


def donor(home: Path, group: str, wanted: str) -> Path | None:
    """The root of a toolchain in the folder `home` that holds this group as it is wanted; None when there is none."""
    for file in sorted(home.glob(f"[!.]*/{FILE}")):
        try:
            if msgspec.json.decode(file.read_bytes(), type=dict[str, str]).get(group) == wanted:
                return file.parent
        except (OSError, msgspec.DecodeError):
            continue  # removed meanwhile, or damaged: it is built instead
    return None


def take(root: Path, group: str, catalogue: Catalogue, into: Path) -> bool:
    """Hard-link programs and CRDs of a group from `root`; False, with nothing linked, when they are not what they were.

    A program of the donor may have been removed or changed since it was built; it is built again then.
    """
    programs = [f"bin/{name}" for made in catalogue.groups[group].packages.values() for name in made]
    names = [*programs, *(f"crds/{plural}.yaml" for plural in catalogue.definitions(group))]
    try:
        manifest = read_manifest(root)
        if not all(_whole(root, name, manifest) for name in names):
            return False
    except (OSError, ToolchainError):
        return False
    for name in names:
        os.link(root / name, into / name)
    return True


def _whole(root: Path, name: str, manifest: Manifest) -> bool:
    return sha256_of(root / name) == manifest.files.get(name)
