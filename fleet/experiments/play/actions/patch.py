"""Patch: any merge patch, and random bytes in an annotation."""

from __future__ import annotations

import random
import string
from typing import Any

from pydantic import Field, field_validator

from fleet.experiments.play.actions.action import Aimed, Effect, Item, noted
from fleet.model.experiment_file import ANNOTATION_BYTES
from fleet.workload.content import PADDING_ANNOTATION

_LETTERS = string.ascii_letters + string.digits


class Patch(Aimed):
    """The same for each object but for the random part."""

    body: dict[str, Any] = Field(default_factory=dict)
    """A JSON merge patch (RFC 7386)."""
    bytes: int = Field(default=0, ge=0, le=ANNOTATION_BYTES)
    """Random characters in an annotation: the object grows to this and no further."""

    @field_validator("body")
    @classmethod
    def _shape(cls, value: dict[str, Any]) -> dict[str, Any]:
        meta = value.get("metadata", {})
        if not isinstance(meta, dict) or not isinstance(meta.get("annotations", {}), dict):
            raise ValueError("metadata and its annotations must be mappings")
        if {"name", "namespace", "uid"} & set(meta):
            raise ValueError("a patch cannot change metadata.name, namespace or uid")
        return value


class PatchAction:
    """Over when it was received."""

    op = "patch"
    model: type[Aimed] = Patch
    effect: Effect = "seen"

    def fits(self, item: Item) -> bool:  # noqa: ARG002 - any object can be patched
        """As the protocol says."""
        return True

    async def send(self, item: Item, given: Patch, action: str, chance: random.Random) -> None:
        """As the protocol says."""
        body = noted(action, given.body)
        if given.bytes:
            body["metadata"]["annotations"][PADDING_ANNOTATION] = "".join(chance.choices(_LETTERS, k=given.bytes))
        write = item.write
        await item.route.client.patch(write.resource, write.name, body, write.namespace)


ACTION = PatchAction()
