"""Groups that another toolchain of the cache has already: same sources, same stanza, same Go, so the same programs.

What each group was built from lies in `groups.json` beside the manifest; a toolchain without it gives nothing away.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from fleet.errors import ToolchainError
from fleet.toolchain import digest
from fleet.toolchain.catalogue import Catalogue
from fleet.toolchain.golang import Go
from fleet.toolchain.patches import program_digest
from fleet.toolchain.store import Manifest, read_manifest

FILE = "groups.json"


def digests(source: Path, catalogue: Catalogue, go: Go) -> dict[str, str]:
    """Group to `sha256:<hex>` of all that decides what it gives."""
    found = {}
    for name, group in catalogue.groups.items():
        crds = {plural: crd.model_dump() for plural, crd in catalogue.crds.items() if crd.group == name}
        stanza = {**group.model_dump(exclude={"seconds", "managers"}), "crds": crds}  # what is built, not when
        if group.patches:
            stanza["patch"] = program_digest(source)
        more = [digest.of_sources(source / folder).encode() for folder in group.beside]
        found[name] = digest.of_folder(source / name, go, msgspec.json.encode(stanza, order="deterministic"), *more)
    return found


def record(root: Path, groups: Mapping[str, str]) -> None:
    """Write down what the toolchain `root` was built from; one that says so already is left alone."""
    file = root / FILE
    if not file.exists():
        fresh = file.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(groups, order="deterministic")) + b"\n")
        fresh.rename(file)


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

    A program of the donor may have been removed or changed since it was built; it is built anew then.
    """
    programs = [f"bin/{name}" for made in catalogue.groups[group].packages.values() for name in made]
    names = [*programs, *(f"crds/{plural}.yaml" for plural, crd in catalogue.crds.items() if crd.group == group)]
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
    return digest.of_file(root / name) == manifest.files.get(name)
