"""Scale: another number of replicas."""

from __future__ import annotations

import random
from typing import Annotated

from pydantic import Field

from fleet.experiments.play.actions.action import Aimed, Effect, Item, patched

Replicas = Annotated[int, Field(ge=0, le=10_000)]


class Scale(Aimed):
    """To one of these numbers, chosen at random."""

    to: list[Replicas] = Field(min_length=1, max_length=100)
    """Numbers of replicas; one is drawn for each action."""


class ScaleAction:
    """Over when every replica is there."""

    op = "scale"
    model: type[Aimed] = Scale
    effect: Effect = "ready"

    def fits(self, item: Item) -> bool:
        """As the protocol says."""
        return item.scalable

    async def send(self, item: Item, given: Scale, action: str, chance: random.Random) -> None:
        """As the protocol says."""
        await patched(item, {"spec": {"replicas": chance.choice(given.to)}}, action)


ACTION = ScaleAction()
