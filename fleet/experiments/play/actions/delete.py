"""Delete, with what the object owns."""

from __future__ import annotations

import random

from fleet.experiments.play.actions.action import Aimed, Effect, Item


class Delete(Aimed):
    """Each object once."""


class DeleteAction:
    """Over when the object is gone."""

    op = "delete"
    model: type[Aimed] = Delete
    effect: Effect = "deleted"

    def fits(self, item: Item) -> bool:  # noqa: ARG002 - any object can be deleted
        """As the protocol says."""
        return True

    async def send(self, item: Item, given: Delete, action: str, chance: random.Random) -> None:  # noqa: ARG002
        """As the protocol says."""
        write = item.write
        await item.route.client.delete(write.resource, write.name, write.namespace, propagation="Background")


ACTION = DeleteAction()
