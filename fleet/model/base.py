"""The base of every model read from outside: frozen, no unknown fields, names checked."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
    model_validator,
)

# RFC 1123 label, and at most 40 characters so that `<component>.<name>` and every path built from it stay short.
NAME_PATTERN = r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""A fleet, machine or cluster name: an RFC 1123 label of at most 40 characters."""


class Model(BaseModel):
    """Frozen, strict about unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


NAME_FIELD = "$schema"
"""By which a JSON file names its schema."""


class Document(Model):
    """The whole of a JSON file in a run folder; it names its schema, so that editors and readers find it."""

    SCHEMA: ClassVar[str]
    """Its file in docs/schemas."""

    @model_validator(mode="before")
    @classmethod
    def _without_name(cls, raw: Any) -> Any:
        return {key: value for key, value in raw.items() if key != NAME_FIELD} if isinstance(raw, dict) else raw

    @model_serializer(mode="wrap")
    def _with_name(self, write: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        """In JSON only. The path is right below `results/<experiment>/<run>/` of a checkout."""
        name = {NAME_FIELD: f"../../../docs/schemas/{self.SCHEMA}"} if info.mode == "json" else {}
        return {**name, **write(self)}
