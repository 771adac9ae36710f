"""The options that override fields of an experiment: one frozen value, and a decorator that gives them to a command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from fleet.model.experiment_file import ExperimentFile


@dataclass(frozen=True)
class Overrides:
    """One option a field, in the order of the help; None (or an empty list) when it is not given."""

    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            envvar="FLEET_SET",
            show_default=False,
            help="Any field: workload.objects=10.",
        ),
    ] = None
    wecs: Annotated[
        str | None,
        typer.Option(
            "--wecs", metavar="1,5,10|all", envvar="FLEET_WECS", show_default=False, help="WEC counts to sweep."
        ),
    ] = None
    layouts: Annotated[
        list[str] | None,
        typer.Option(
            "--layout",
            metavar="one-to-one|one-to-many",
            envvar="FLEET_LAYOUT",
            show_default=False,
            help="May be given twice.",
        ),
    ] = None
    objects: Annotated[
        int | None,
        typer.Option("--objects", metavar="N", envvar="FLEET_OBJECTS", show_default=False, help="Objects per policy."),
    ] = None
    repeats: Annotated[
        int | None,
        typer.Option(
            "--repeats", metavar="N", envvar="FLEET_REPEATS", show_default=False, help="Counted trials of each."
        ),
    ] = None
    workload: Annotated[
        str | None,
        typer.Option(
            "--workload",
            metavar="deployment|pod|configmap",
            envvar="FLEET_WORKLOAD",
            show_default=False,
            help="Kind of the objects.",
        ),
    ] = None

    quick: Annotated[
        bool, typer.Option("--quick", envvar="FLEET_QUICK", help="The short form, of less than two minutes.")
    ] = False

    @property
    def words(self) -> list[str]:
        """These options as a command line has them."""
        given = [word for text in self.sets or [] for word in ("--set", text)]
        plain = {"--wecs": self.wecs, "--objects": self.objects, "--repeats": self.repeats, "--workload": self.workload}
        for option, value in plain.items():
            given += [] if value is None else [option, str(value)]
        given += [word for layout in self.layouts or [] for word in ("--layout", layout)]
        return [*given, *(["--quick"] if self.quick else [])]

    def with_sets(self, sets: list[str]) -> Overrides:
        """The same with more of --set."""
        return replace(self, sets=[*(self.sets or []), *sets])

    def load(self, name: str) -> ExperimentFile:
        """The experiment of that name or file, with these overrides."""
        from fleet.experiments import registry
        from fleet.model import experiment_load

        flags = {
            "wecs": None if self.wecs is None else experiment_load.parse_wecs(self.wecs),
            "layouts": self.layouts or None,
            "workload.objects": self.objects,
            "repeats": self.repeats,
            "workload.kind": self.workload,
        }
        return registry.load(experiment_load.find(name), sets=self.sets or [], flags=flags, quick=self.quick)


def overridable(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each field of Overrides in place of its parameter `overrides`; typer reads it."""
    hints = get_type_hints(Overrides, include_extras=True)
    options = [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in fields(Overrides)
    ]

    def with_options(**given: Any) -> None:
        overrides = Overrides(**{option.name: given.pop(option.name) for option in options})
        command(overrides=overrides, **given)

    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        own = parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        parameters += options if parameter.name == "overrides" else [own]
    with_options.__name__, with_options.__doc__ = command.__name__, command.__doc__
    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return with_options
