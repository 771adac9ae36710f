"""What a run may have to do in the clusters of each space, as data: printed as RBAC, and asked of each API server."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.kube.resources import Resource
from fleet.model.manager_record import Space


@dataclass(frozen=True)
class Right:
    """Some verbs on one resource of all namespaces, or on a URL path."""

    space: Space
    verbs: tuple[str, ...]
    group: str = ""
    resource: str = ""
    """Plural, with `/subresource` where it is one."""
    url: str = ""
    optional: bool = False
    """A run does without, and reports less."""

    def __str__(self) -> str:
        """What it is on: `deployments.apps`, or the path."""
        return self.url or (f"{self.resource}.{self.group}" if self.group else self.resource)


def right(space: Space, resource: Resource, *verbs: str) -> Right:
    """On one kind of object."""
    return Right(space, verbs, resource.group, resource.plural)
