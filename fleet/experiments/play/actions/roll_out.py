"""Roll out: another pod template, so that every pod is replaced."""

from __future__ import annotations

import random

from fleet.experiments.play.actions.action import Aimed, Effect, Item, patched
from fleet.model.run_names import ACTION_ANNOTATION


class RollOut(Aimed):
    """Of each object, as `kubectl rollout restart` does it."""


class RollOutAction:
    """Over when every replica is a new one."""

    op = "roll-out"
    model: type[Aimed] = RollOut
    effect: Effect = "ready"

    def fits(self, item: Item) -> bool:
        """As the protocol says."""
        return item.scalable

    async def send(self, item: Item, given: RollOut, action: str, chance: random.Random) -> None:  # noqa: ARG002
        """As the protocol says."""
        template = {"metadata": {"annotations": {ACTION_ANNOTATION: action}}}
        await patched(item, {"spec": {"template": template}}, action)


ACTION = RollOutAction()
