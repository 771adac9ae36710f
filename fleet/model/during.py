"""`during` of an experiment file: what is done to the fleet alongside the load, when and for how long."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    WithJsonSchema,
    model_validator,
)

from fleet.model.base import Model
from fleet.model.duration import Duration, Moment

TrialName = Annotated[str, StringConstraints(pattern=r"^t[0-9]{3,}$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]
_SHARE = re.compile(r"[0-9]{1,3}/[1-9][0-9]{0,2}")


def parse_share(value: Any) -> Any:
    """`1/3`, or a number above 0 and at most 1, as text that `Fraction` reads."""
    text = str(value)
    if not (_SHARE.fullmatch(text) or isinstance(value, int | float)) or not 0 < Fraction(text) <= 1:
        raise ValueError(f"{value!r} is no share: write 1/3 or 0.5, at most 1")
    return text


Share = Annotated[str, BeforeValidator(parse_share), WithJsonSchema({"type": ["string", "number"]})]
"""A part of something; written as `1/3` or `0.5`."""


class Action(Model):
    """What is done, whenever: `{action: stop, target: wecs, share: 1/3, for: 30s}`."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    action: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    """A fault of `fleet.faults.registry`."""
    target: Word
    """A control plane, a program by its name under the supervisor, a machine, `wecs`, `fleet`, or a word that means
    something under every manager, such as `etcd.source` or `agents`: see `docs/how-to/faults.md`."""
    share: Share | None = None
    """Of `wecs`, or of those whose `agents` are meant: how many, at least one, chosen by the seed; None: all."""
    lasting: Duration | None = Field(default=None, alias="for")
    """How long until it is healed; None: until the trial's last mark was seen, or its time was up."""
    settings: dict[str, Any] = Field(default_factory=dict, alias="with", exclude_if=lambda given: not given)
    """What the fault can be given besides (`docs/how-to/faults.md`)."""

    @model_validator(mode="after")
    def _of_wecs(self) -> Self:
        if self.share is not None and self.target not in ("wecs", "agents"):
            raise ValueError(f"share is of the targets `wecs` and `agents`, not of {self.target}: leave it out")
        return self

    def __str__(self) -> str:
        """For messages: `stop of wec001`, `stop of 1/3 of wecs`."""
        return f"{self.action} of {f'{self.share} of ' if self.share else ''}{self.target}"


class DuringStep(Action):
    """`{at: 10s, action: stop, target: wec001, for: 30s}`."""

    at: Moment
    """After the load of a trial began."""
    trial: TrialName | None = None
    """In this trial only, as `fleet experiment plan` numbers them; None: in every trial that counts."""

    def applies(self, trial: str, *, counted: bool) -> bool:
        """Whether it is done in that trial."""
        return self.trial == trial if self.trial else counted


class Draw(Model):
    """A schedule that a seed makes: of each counted trial `count` actions at random moments."""

    count: int = Field(ge=1, le=50)
    """In each counted trial."""
    actions: list[Action] = Field(alias="from", min_length=1, max_length=50)
    """Each draw is one of these, each as likely."""
    between: list[Moment] = Field(min_length=2, max_length=2)
    """Earliest and latest moment after the load of a trial began."""
    seed: int | None = Field(default=None, ge=0, lt=2**63)
    """None: the experiment's own."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.between[0] > self.between[1]:
            raise ValueError("between: the first moment is after the last: write [5s, 30s]")
        return self


class DrawnSteps(Model):
    """`{draw: {count: 2, between: [5s, 30s], from: [...]}}`."""

    draw: Draw
    """What is drawn."""


def _kind(value: Any) -> str:
    return "draw" if isinstance(value, DrawnSteps) or (isinstance(value, dict) and "draw" in value) else "step"


DuringEntry = Annotated[Annotated[DuringStep, Tag("step")] | Annotated[DrawnSteps, Tag("draw")], Discriminator(_kind)]
"""An entry of `during`."""
