"""The file of `play`: steps, one after another, alongside each other or repeated, each with a count or time and a
rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from fleet.experiment.routes import Through
from fleet.experiments.play.actions.action import Aimed
from fleet.experiments.play.actions.delete import Delete
from fleet.experiments.play.actions.label import Label
from fleet.experiments.play.actions.patch import Patch
from fleet.experiments.play.actions.roll_out import RollOut
from fleet.experiments.play.actions.scale import Scale
from fleet.model.base import Model, Name
from fleet.model.duration import Duration
from fleet.model.experiment_file import ExperimentFile, Workload
from fleet.model.load_shape import GlobalQPSLoad, LoadShape, ParallelismLimitedLoad

CLOSED = LoadShape(parallelismLimitedLoad=ParallelismLimitedLoad(parallelismLimit=32))
"""Of a step without `load`."""
DEPTH = 8
FORMS = ("create", "scale", "roll_out", "label", "patch", "delete", "parallel", "series", "repeat", "pause")
HOLDS = ("parallel", "series")


class Repeat(Model):
    """The same steps several times; groups that they create are made again each time."""

    times: int = Field(ge=1, le=10_000)
    """How often."""
    steps: list[Step] = Field(min_length=1, max_length=100)
    """What is repeated."""


class Step(Model):
    """One thing to do: an action with its load, or steps inside."""

    name: Name | None = None
    """Of the group that `create` makes, by which other steps aim at it."""
    create: Workload | None = None
    """So many `objects` of a kind, or copies of a profile."""
    scale: Scale | None = None
    roll_out: RollOut | None = None
    label: Label | None = None
    patch: Patch | None = None
    delete: Delete | None = None
    parallel: list[Step] | None = Field(default=None, min_length=1, max_length=100)
    """Steps at the same time; over when all are."""
    series: list[Step] | None = Field(default=None, min_length=1, max_length=100)
    """Steps one after another."""
    repeat: Repeat | None = None
    pause: Duration | None = None
    """Nothing, for so long."""
    load: LoadShape | None = None
    """When each action is sent; default: 32 unanswered at any time."""
    count: int | None = Field(default=None, ge=1, le=1_000_000)
    """Actions; default: one for each object of the group."""
    duration: Duration | None = None
    """In place of `count`: as many as the load makes in this time."""
    wait: Literal["effect", "answer"] = "effect"
    """The step is over when each action had its effect, or when each was answered."""

    @model_validator(mode="after")
    def _one(self) -> Step:
        given = [form for form in FORMS if getattr(self, form) is not None]
        if len(given) != 1:
            raise ValueError(f"name exactly one of {', '.join(FORMS)}, not {' and '.join(given) or 'none'}")
        held = given[0] in (*HOLDS, "repeat", "pause")
        extra = [name for name in ("load", "count", "duration") if getattr(self, name) is not None]
        if extra and held:
            raise ValueError(f"{extra[0]}: {given[0]} has none: give it to the actions inside")
        if self.create is not None and (self.name is None or self.count is not None or self.duration is not None):
            raise ValueError("create: needs a name for its group, and says how many by `objects`")
        if self.count is not None and self.duration is not None:
            raise ValueError("count, duration: give one of them")
        if self.duration is not None and (self.load is None or not self.load.open):
            raise ValueError("duration: needs a load with a rate")
        return self

    @property
    def aimed(self) -> tuple[str, Aimed] | None:
        """The word and the value of an action on a group; None for others."""
        for form in FORMS[1:6]:
            value = getattr(self, form)
            if value is not None:
                return form, value
        return None

    @property
    def inside(self) -> Sequence[Step]:
        """The steps that it holds."""
        return self.parallel or self.series or (self.repeat.steps if self.repeat else ())


Repeat.model_rebuild()


def _default() -> list[Step]:
    rate = LoadShape(globalQPSLoad=GlobalQPSLoad(qps=10))
    return [
        Step(name="web", create=Workload(objects=10, pods=2), load=rate),
        Step(
            parallel=[
                Step(scale=Scale(of="web", to=[1, 3]), load=rate),
                Step(label=Label(of="web", values=["a", "b"]), load=rate),
            ]
        ),
        Step(roll_out=RollOut(of="web"), load=rate),
        Step(delete=Delete(of="web"), load=rate),
    ]


class Play(ExperimentFile):
    """Steps on one WEC, or spread over several."""

    QUICK: ClassVar[dict[str, Any]] = {"size": 0.5, "repeats": 1, "warmup": 0}

    experiment: Literal["play"]
    name: Name = "play"
    clusters: Annotated[int, Field(ge=1)] | Literal["all"] = 1
    """WECs that objects are spread over, in turn."""
    through: Through = "direct"
    """Into the WECs, or by the manager's source."""
    size: float = Field(default=1.0, gt=0, le=1000)
    """Factor of every count and duration."""
    watchers: int = Field(default=0, ge=0, le=1000)
    """Watches of all pods per WEC that the driver holds alongside its own, read and not parsed."""
    steps: list[Step] = Field(default_factory=_default, min_length=1, max_length=100)
    """What is done, one after another."""

    @model_validator(mode="after")
    def _aims(self) -> Play:
        groups: set[str] = set()
        for step, depth in _walk(self.steps, 1):
            if depth > DEPTH:
                raise ValueError(f"steps: are nested more than {DEPTH} deep")
            if step.create is not None and step.name is not None:
                if step.name in groups:
                    raise ValueError(f"steps: two groups are called {step.name}")
                groups.add(step.name)
            if step.aimed is not None and step.aimed[1].of not in groups:
                known = ", ".join(sorted(groups)) or "none"
                raise ValueError(f"steps: {step.aimed[0]} of {step.aimed[1].of!r}: no step before creates it ({known})")
        return self


def _walk(steps: Sequence[Step], depth: int) -> Iterator[tuple[Step, int]]:
    """Every step before those that it holds, with its depth."""
    for step in steps:
        yield step, depth
        if depth <= DEPTH:
            yield from _walk(step.inside, depth + 1)


def creations(steps: Sequence[Step]) -> list[Step]:
    """The steps that create, in their order."""
    return [step for step, _ in _walk(steps, 1) if step.create is not None]


def everything(steps: Sequence[Step]) -> list[Step]:
    """Every step, nested ones too."""
    return [step for step, _ in _walk(steps, 1)]


def sized(number: float, size: float) -> int:
    """A count, multiplied; at least 1."""
    return max(1, round(number * size))
