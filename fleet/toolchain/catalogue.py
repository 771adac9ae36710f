"""`versions.yaml`: which Go modules give which programs and CRDs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from fleet.errors import ToolchainError, UsageError

FILE = "versions.yaml"
Need = Annotated[
    str,
    StringConstraints(
        pattern=r"^(manager|platform|simulator|driver|experiment):[a-z][a-z0-9-]*(@v[0-9]+(\.[0-9]+)*)?$"
    ),
]
"""What may need a group: `<kind>:<name>`, or `<kind>:<name>@<version>` where a fleet names a version."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Module(_Model):
    """One upstream Go module, or npm package, at its pinned version."""

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
    """One folder with a go.mod: one `go build`. One with a package.json: one `npm ci` and one `node build.mjs`."""

    seconds: int = Field(gt=0)
    """What a cold build takes on 2 cores; only for estimates."""
    needed_by: tuple[Need, ...] = Field((), alias="for")
    """Built only for a fleet with one of these; empty: for every fleet."""
    modules: Mapping[str, Module]
    variables: Mapping[str, str] = {}
    """Linker: variable to value."""
    packages: Mapping[str, Mapping[str, str]]
    """Go package to (program to key of `modules`); the programs of one package are one file. With npm: the script that
    makes the bundles, each a file of its own."""
    npm: str = Field("", pattern=r"^(sha512-[A-Za-z0-9+/=]+)?$")
    """Integrity of the npm package that it is about, whose own dependencies are not installed; empty: a group of Go."""
    patches: tuple[Patch, ...] = ()
    instead: str = ""
    """A group of another version that it stands for: it has the same CRDs from its own modules, and of programs that
    other groups have too, a fleet takes its."""
    beside: tuple[str, ...] = ()
    """Other folders of `toolchain/` with Go of ours that it is built from."""

    @property
    def versions(self) -> dict[str, str]:
        """Program to the version of the module it comes from."""
        return {
            program: self.modules[key].version
            for programs in self.packages.values()
            for program, key in programs.items()
        }


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
        """Program to the version of the module it comes from, of all groups; the first that has it."""
        return {
            name: version for group in reversed([*self.groups.values()]) for name, version in group.versions.items()
        }

    def definitions(self, name: str) -> dict[str, Crd]:
        """The CRDs of a group, by plural."""
        own = {name, self.groups[name].instead}
        return {plural: crd.model_copy(update={"group": name}) for plural, crd in self.crds.items() if crd.group in own}


def load(source: Path, needs: Collection[str] = ()) -> Catalogue:
    """What every fleet needs and what `needs` need alongside it, of `versions.yaml` in the folder `toolchain/`.

    A need that no group is for adds nothing. ToolchainError names the file and what is wrong in it.
    """
    whole = every(source)
    wanted = [name for name, group in whole.groups.items() if not group.needed_by or {*needs} & {*group.needed_by}]
    wanted.sort(key=lambda name: not whole.groups[name].instead)
    return _part(whole, wanted)


def every(source: Path) -> Catalogue:
    """All groups; ToolchainError names the file and what is wrong in it."""
    file = source / FILE
    try:
        return Catalogue.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ToolchainError(
            f"{file}: cannot be read ({error.strerror}): run from a checkout of the project"
        ) from error
    except (yaml.YAMLError, ValidationError) as error:
        raise ToolchainError(f"{file}: {error}") from error


def named(source: Path, groups: Collection[str]) -> Catalogue:
    """Only these groups; UsageError with the nearest name for one that there is not."""
    whole = every(source)
    for name in groups:
        _refuse(name, list(whole.groups), "--group")
    return _part(whole, groups)


def check_needs(source: Path, needs: Collection[str]) -> None:
    """UsageError with the nearest one for a need that no group is for."""
    known = sorted({need for group in every(source).groups.values() for need in group.needed_by})
    for need in needs:
        _refuse(need, known, "--for")


def _refuse(name: str, known: Collection[str], option: str) -> None:
    if name not in known:
        near = "".join(f"; did you mean {word}?" for word in get_close_matches(name, known, n=1, cutoff=0.3))
        raise UsageError(f"{option} {name}: there is no such name in {FILE}{near} There are {', '.join(known)}")


def _part(whole: Catalogue, wanted: Collection[str]) -> Catalogue:
    groups = {name: whole.groups[name] for name in wanted}
    homes = {*groups, *(group.instead for group in groups.values())}
    crds = {plural: crd for plural, crd in whole.crds.items() if crd.group in homes}
    return whole.model_copy(update={"groups": groups, "crds": crds})
