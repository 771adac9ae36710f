"""Profiles: folders of Jinja2 templates, each rendered in a sandbox to the objects of a workload.

`profile.yaml` names the templates and how often each is rendered per copy, in kube-burner's words (`objectTemplate`,
`replicas`, `inputVars`); without it every .yaml file of the folder is rendered once. A template may use:

    name         unique in the run: an object's name must be it, or begin with it and a dash
    namespace    where the objects go; leave metadata.namespace out
    iteration    number of the copy in its policy, from 1
    replica      number of the rendering in the copy, from 1
    lifetime     the spec's workload.lifetime as a Go duration, 0s when it has none
    random(n)    n random characters, the same for the same run position
    and its own inputVars
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment
from pydantic import Field

from fleet.errors import SpecError, UsageError
from fleet.kube.resources import ALL, Resource
from fleet.model import yaml_source
from fleet.model.base import Model
from fleet.model.duration import shown as duration
from fleet.model.experiment_file import Workload
from fleet.model.experiment_load import SUFFIXES, folders
from fleet.model.model_errors import nearest, validate
from fleet.workload.content import Body, Content, Place, Plain, random_text

PROFILE = "profile.yaml"
TEMPLATES = "templates"
_KNOWN = {(resource.api_version, resource.kind): resource for resource in ALL}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FILE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,80}$"


class Entry(Model):
    """A template and how often it is rendered per copy."""

    objectTemplate: str = Field(pattern=_FILE)  # noqa: N815 - kube-burner's name
    replicas: int = Field(default=1, ge=1, le=10_000)
    inputVars: dict[str, str | int | float | bool] = Field(default_factory=dict)  # noqa: N815 - kube-burner's name


class ProfileFile(Model):
    """The whole of `profile.yaml`."""

    description: str = ""
    objects: list[Entry] = Field(min_length=1)
    crds: list[str] = Field(default_factory=list)
    """Files with CustomResourceDefinitions, applied where the cluster does not serve them."""


def available() -> dict[str, Path]:
    """Folders of profiles by name, the first place winning; sorted by name."""
    found: dict[str, Path] = {}
    for place in folders():
        if (place / TEMPLATES).is_dir():
            for folder in sorted((place / TEMPLATES).iterdir()):
                if folder.is_dir():
                    found.setdefault(folder.name, folder)
    return dict(sorted(found.items()))


def find(name: str) -> Path:
    """The folder of a profile: a path when it has a slash, else a name below experiments/templates/."""
    known = available()
    folder = Path(name) if "/" in name else known.get(name)
    if folder is None:
        raise UsageError(
            f"workload.profile: there is no profile {name!r}{nearest(name, known)}; or give a folder's path"
        )
    if not folder.is_dir():
        raise UsageError(f"workload.profile: {folder} is no folder")
    return folder


def content_of(workload: Workload) -> Content:
    """The content that the workload requests. SpecError, with file and line, for a profile that cannot be used."""
    return Plain(workload) if workload.profile is None else Profile.load(find(workload.profile), workload)


@dataclass(frozen=True)
class Profile:
    """A folder of templates, read."""

    name: str
    folder: Path
    entries: tuple[tuple[Entry, Template], ...]
    crds: tuple[Mapping[str, Any], ...]
    lifetime: str
    digest: str
    """sha256 of every file that was read."""
    _kinds: Mapping[tuple[str, str], Resource] = field(repr=False)

    @classmethod
    def load(cls, folder: Path, workload: Workload) -> Profile:
        """Read and compile everything; SpecError with file and line."""
        profile = _profile(folder)
        environment = SandboxedEnvironment(
            loader=FileSystemLoader(folder), undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True
        )
        crds = tuple(document for name in profile.crds for document in _documents(folder / name))
        entries = tuple((entry, _compiled(environment, folder, entry.objectTemplate)) for entry in profile.objects)
        files = [*(entry.objectTemplate for entry in profile.objects), *profile.crds]
        digest = hashlib.sha256(b"\0".join((folder / name).read_bytes() for name in files)).hexdigest()
        kinds = {**_KNOWN, **{(r.api_version, r.kind): r for document in crds for r in [_resource(document, folder)]}}
        lifetime = duration(workload.lifetime or 0.0)
        return cls(folder.resolve().name, folder, entries, crds, lifetime, digest, kinds)

    @cached_property
    def _probe(self) -> Sequence[Body]:
        """One copy, rendered to see what there is."""
        return self.bodies(Place(name="probe", namespace="probe", op="probe", copy=0))

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Every resource it has objects of."""
        return tuple(dict.fromkeys(body.resource for body in self._probe))

    @property
    def size(self) -> int:
        """Objects of one copy; a template that makes more of them in a later copy is not believed."""
        return len(self._probe)

    def bodies(self, place: Place) -> Sequence[Body]:
        """Every template of the profile, as often as it requests."""
        return [
            body
            for number, (entry, template) in enumerate(self.entries)
            for replica in range(1, entry.replicas + 1)
            for body in self._rendered(number, entry, template, replica, place)
        ]

    def _rendered(self, number: int, entry: Entry, template: Template, replica: int, place: Place) -> list[Body]:
        file = self.folder / entry.objectTemplate
        drawn = 0

        def random(length: int) -> str:
            nonlocal drawn
            drawn += 1
            return random_text(length, f"{place.name}/{number}/{replica}/{drawn}")

        values = {
            **entry.inputVars, "name": place.name, "namespace": place.namespace, "iteration": place.copy + 1,
            "replica": replica, "lifetime": self.lifetime, "random": random,
        }  # fmt: skip
        try:
            documents = list(yaml.load_all(template.render(values), Loader=_LOADER))
        except TemplateError as error:
            raise SpecError(f"cannot be rendered: {error.message}", file=file) from error
        except (yaml.YAMLError, ArithmeticError, TypeError, ValueError) as error:
            raise SpecError(f"what it renders is not YAML: {' '.join(str(error).split())}", file=file) from error
        return [self._body(document, file, place) for document in documents if document is not None]

    def _body(self, document: Any, file: Path, place: Place) -> Body:
        if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
            raise SpecError("must render to objects with metadata", file=file)
        api, kind = str(document.get("apiVersion", "")), str(document.get("kind", ""))
        resource = self._kinds.get((api, kind))
        if resource is None:
            raise SpecError(
                f"{kind or 'no kind'} of {api!r} is not known: name the file of its CRD under crds", file=file
            )
        if not resource.namespaced:
            raise SpecError(f"{kind} is cluster-scoped: a policy of a run brings namespaced objects only", file=file)
        name = str(document["metadata"].get("name", ""))
        if name != place.name and not name.startswith(f"{place.name}-"):
            raise SpecError(f"metadata.name: {name!r} must begin with {{{{ name }}}}", file=file)
        if document["metadata"].get("namespace", place.namespace) != place.namespace:
            raise SpecError("metadata.namespace: leave it out, the run gives it", file=file)
        return Body(resource, name, document)


def _profile(folder: Path) -> ProfileFile:
    file = folder / PROFILE
    if file.is_file():
        source = yaml_source.read(file)
        return validate(ProfileFile, source.data, lambda path: (file, source.line(path)))
    names = sorted(entry.name for entry in folder.iterdir() if entry.suffix in SUFFIXES)
    if not names:
        raise SpecError(f"has neither {PROFILE} nor a .yaml template", file=folder)
    return ProfileFile(objects=[Entry(objectTemplate=name) for name in names])


def _compiled(environment: SandboxedEnvironment, folder: Path, name: str) -> Template:
    try:
        return environment.get_template(name)
    except TemplateError as error:
        message = f"there is no such template: {name}" if not (folder / name).is_file() else str(error.message)
        raise SpecError(message, file=folder / name, line=getattr(error, "lineno", None)) from error


def _documents(file: Path) -> list[Mapping[str, Any]]:
    try:
        documents = list(yaml.load_all(file.read_text(encoding="utf-8"), Loader=_LOADER))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SpecError(f"cannot be read: {' '.join(str(error).split())}", file=file) from error
    return [document for document in documents if document is not None]


def _resource(crd: Mapping[str, Any], folder: Path) -> Resource:
    try:
        spec = crd["spec"]
        version = next(str(entry["name"]) for entry in spec["versions"] if entry["served"])
        names = spec["names"]
        return Resource(
            str(spec["group"]), version, str(names["plural"]), str(names["kind"]), spec["scope"] == "Namespaced"
        )
    except (KeyError, TypeError, StopIteration) as error:
        raise SpecError(f"crds: one is no CustomResourceDefinition ({error})", file=folder / PROFILE) from error
