"""What an action is, and the object that it is done to."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from fleet.experiment.routes import Route
from fleet.kube.resources import Resource
from fleet.managers.manager import Write
from fleet.model.base import Model, Name
from fleet.model.run_names import ACTION_ANNOTATION

Effect = Literal["seen", "ready", "deleted"]
"""With what an action is over: its version was received; the status of it is final; the object is gone."""


@dataclass(eq=False)
class Item:
    """One object of a group."""

    resource: Resource
    name: str
    route: Route
    write: Write
    alive: bool = True
    """No deletion of it was sent."""

    @property
    def scalable(self) -> bool:
        """It has replicas."""
        return "replicas" in (self.write.body.get("spec") or {})


class Aimed(Model):
    """An action on the objects of a group."""

    of: Name
    """The step that created them."""


class Action(Protocol):
    """One kind of action on objects that exist. Stateless."""

    op: str
    """As requests and stages are named."""
    model: type[Aimed]
    effect: Effect

    def fits(self, item: Item) -> bool:
        """Whether it can be done to that object."""
        ...

    async def send(self, item: Item, given: Any, action: str, chance: random.Random) -> None:
        """One request. `given` is of the type `model`; `action` is the id that its version carries."""
        ...


def noted(action: str, patch: Mapping[str, Any]) -> dict[str, Any]:
    """A merge patch with the action's id in an annotation."""
    meta = dict(patch.get("metadata") or {})
    meta["annotations"] = {**(meta.get("annotations") or {}), ACTION_ANNOTATION: action}
    return {**patch, "metadata": meta}


async def patched(item: Item, patch: Mapping[str, Any], action: str) -> None:
    """Send it."""
    write = item.write
    await item.route.client.patch(write.resource, write.name, noted(action, patch), write.namespace)
