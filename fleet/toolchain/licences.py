"""The licences of what a group is made of: which Go modules are compiled into it, and the texts that they carry."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from fleet.errors import ToolchainError
from fleet.toolchain import golang, store
from fleet.toolchain.build import Builder
from fleet.toolchain.catalogue import Catalogue

FOLDER = "licences"
"""In the folder of a group, with a folder per module."""
INDEX = f"{FOLDER}/modules.json"
UNKNOWN = "NOASSERTION"
"""SPDX's word where nothing is known."""
OURS = "fleet-testbed"
_TEXTS = re.compile(r"^(un)?licen[cs]e|^copying|^notice|^patents", re.IGNORECASE)
_SIGNS = {
    "Apache-2.0": r"Apache License\W+Version 2\.0",
    "MPL-2.0": r"Mozilla Public License,? (Version|v\.) ?2\.0",
    "BSD-3-Clause": r"Redistribution and use in source and binary forms.*(neither the name|endorse or promote)",
    "BSD-2-Clause": r"Redistribution and use in source and binary forms(?!.*(neither the name|endorse or promote))",
    "ISC": r"Permission to use, copy, modify, and(/or)? distribute this software",
    "MIT": r"Permission is hereby granted, free of charge",
    "EPL-2.0": r"Eclipse Public License - v 2\.0",
    "Unlicense": r"This is free and unencumbered software",
    "CC0-1.0": r"CC0 1\.0 Universal",
}


class ModuleLicence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One module of a group."""

    module: str
    version: str
    licence: str
    """SPDX identifiers that its texts carry, joined by AND; `NOASSERTION` when no text is known."""
    texts: tuple[str, ...]
    """Below the group's folder."""


def of_group(source: Path, cache: Path, name: str, wanted: Catalogue) -> dict[ModuleLicence, dict[str, Path]]:
    """The modules compiled into a group, each with its texts (path below the group's folder to file).

    Of a group of npm what its build has kept. ToolchainError when there is no Go, or a module is neither in its cache
    nor to be had.
    """
    group = wanted.groups[name]
    if group.npm:
        return _kept(store.places(source, cache, wanted)[name])
    go = golang.find(cache, wanted.go_wheel).program
    if go is None:
        raise ToolchainError("the licence texts are in Go's module cache: pack on the machine that built the programs")
    builder = Builder(go, source / name)
    found = {}
    for module in builder.modules(list(group.packages)):
        ours = module.folder.is_relative_to(source)
        folder = source.parent if ours else module.folder
        named = OURS if ours else module.name
        entry, texts = of_folder(named, "" if ours else module.version, folder)
        found[entry] = texts
    runtime, texts = of_folder("go", golang.version(go), builder.goroot())
    return {**found, runtime: texts}


def _kept(root: Path) -> dict[ModuleLicence, dict[str, Path]]:
    index = root / INDEX
    try:
        modules = msgspec.json.decode(index.read_bytes(), type=tuple[ModuleLicence, ...])
    except (OSError, msgspec.DecodeError) as error:
        raise ToolchainError(f"{index}: {error}: remove {root} and run `fleet toolchain build`") from error
    return {module: {text: root / text for text in module.texts} for module in modules}


def of_folder(module: str, version: str, folder: Path) -> tuple[ModuleLicence, dict[str, Path]]:
    """A module with the texts that lie in its folder (path below the group's folder to file)."""
    files = sorted(file for file in folder.iterdir() if file.is_file() and _TEXTS.match(file.name))
    place = f"{FOLDER}/{module}@{version}" if version else f"{FOLDER}/{module}"
    texts = {f"{place}/{file.name}": file for file in files}
    words = (file.read_text(encoding="utf-8", errors="replace") for file in files)
    return ModuleLicence(module, version, identify(words), tuple(texts)), texts


def identify(texts: Iterable[str]) -> str:
    """SPDX identifiers of the licences whose own words stand in the texts."""
    found = {
        name
        for text in texts
        for name, sign in _SIGNS.items()
        if re.search(sign, " ".join(text.split()), re.IGNORECASE)
    }
    return " AND ".join(sorted(found)) or UNKNOWN
