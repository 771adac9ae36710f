"""Label: one label with another value."""

from __future__ import annotations

import random
from typing import Annotated

from pydantic import Field, StringConstraints

from fleet.experiments.play.actions.action import Aimed, Effect, Item, patched

_KEY = r"^([a-z0-9]([-a-z0-9.]{0,250}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
_VALUE = r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$"


class Label(Aimed):
    """To one of these values, chosen at random."""

    key: Annotated[str, StringConstraints(pattern=_KEY)] = "play"
    """Name of the label."""
    values: list[Annotated[str, StringConstraints(pattern=_VALUE)]] = Field(min_length=1, max_length=1000)
    """One is drawn for each action."""


class LabelAction:
    """Over when it was received."""

    op = "label"
    model: type[Aimed] = Label
    effect: Effect = "seen"

    def fits(self, item: Item) -> bool:  # noqa: ARG002 - any object has labels
        """As the protocol says."""
        return True

    async def send(self, item: Item, given: Label, action: str, chance: random.Random) -> None:
        """As the protocol says."""
        await patched(item, {"metadata": {"labels": {given.key: chance.choice(given.values)}}}, action)


ACTION = LabelAction()
