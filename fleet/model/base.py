"""The base of every model read from outside: frozen, no unknown fields, names checked."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

# RFC 1123 label, and at most 40 characters so that `<component>.<name>` and every path built from it stay short.
NAME_PATTERN = r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""A fleet, machine or cluster name: an RFC 1123 label of at most 40 characters."""


class Model(BaseModel):
    """Frozen, strict about unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
