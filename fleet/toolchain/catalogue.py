"""`versions.yaml`: which Go modules give which programs and CRDs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fleet.errors import ToolchainError

FILE = "versions.yaml"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Module(_Model):
    """One upstream Go module at its pinned version."""

    module: str
    version: str


class Patch(_Model):
    """A function of upstream's that gives way to one of ours (fleet.toolchain.patches)."""

    module: str
    file: str
    """That declares it, below the root of the module."""
    function: str
    """`name`, or `Type.name` of a method."""
    sha256: str = Field(min_length=12, max_length=64)
    """Begins the digest of the declaration that ours was written for; the build says the new one when it changed."""
    ours: str
    """Our file, below the group's folder."""


class Group(_Model):
    """One folder with a go.mod: one `go build`."""

    seconds: int = Field(gt=0)
    """What a cold build takes on 2 cores; only for estimates."""
    managers: tuple[str, ...] = ()
    """Built only for a fleet with one of these managers; empty: for every fleet."""
    modules: Mapping[str, Module]
    variables: Mapping[str, str] = {}
    """Linker: variable to value."""
    packages: Mapping[str, Mapping[str, str]]
    """Go package to (program to key of `modules`); the programs of one package are one file."""
    patches: tuple[Patch, ...] = ()
    beside: tuple[str, ...] = ()
    """Other folders of `toolchain/` with Go of ours that it is built from."""


class Crd(_Model):
    """Where a CustomResourceDefinition lies."""

    group: str
    module: str
    path: str


class Catalogue(_Model):
    """All of `versions.yaml`."""

    go_wheel: str
    groups: Mapping[str, Group]
    crds: Mapping[str, Crd]

    @property
    def versions(self) -> dict[str, str]:
        """Program to the version of the module it comes from."""
        return {
            program: group.modules[key].version
            for group in self.groups.values()
            for programs in group.packages.values()
            for program, key in programs.items()
        }

    @property
    def seconds(self) -> int:
        """Estimate of a whole cold build."""
        return sum(group.seconds for group in self.groups.values())


def load(source: Path, manager: str = "") -> Catalogue:
    """Read `versions.yaml` of the folder `toolchain/`; ToolchainError names the file and what is wrong.

    What every fleet needs; with `manager` what a fleet with that one needs beside it, which may be nothing.
    """
    whole = _read(source)
    groups = {n: g for n, g in whole.groups.items() if (manager in g.managers if manager else not g.managers)}
    crds = {plural: crd for plural, crd in whole.crds.items() if crd.group in groups}
    return whole.model_copy(update={"groups": groups, "crds": crds})


def _read(source: Path) -> Catalogue:
    file = source / FILE
    try:
        return Catalogue.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ToolchainError(
            f"{file}: cannot be read ({error.strerror}): run from a checkout of the project"
        ) from error
    except (yaml.YAMLError, ValidationError) as error:
        raise ToolchainError(f"{file}: {error}") from error
