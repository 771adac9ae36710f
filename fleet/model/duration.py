"""Durations as users write them: Go's grammar, read to seconds and written back with a unit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema
from pydantic.fields import FieldInfo

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")


def parse_duration(value: Any) -> float:
    """Seconds of a Go duration such as `1h2m3s`, `500ms`; a bare number is refused because its unit is a guess."""
    if isinstance(value, float):
        return value
    if not isinstance(value, str):
        raise ValueError("a duration is a number with a unit, such as 30s, 5m or 1h30m")
    if not value or _DURATION.sub("", value):
        raise ValueError(f"{value!r} is not a duration: write 500ms, 30s, 5m or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(value))


WRITTEN = {"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h))+$"}
"""JSON Schema of a duration as a file has it."""

Duration = Annotated[float, BeforeValidator(parse_duration), Field(gt=0, le=7 * 24 * 3600), WithJsonSchema(WRITTEN)]
"""Seconds; written as a Go duration, at most seven days."""

Moment = Annotated[float, BeforeValidator(parse_duration), Field(ge=0, le=7 * 24 * 3600), WithJsonSchema(WRITTEN)]
"""Seconds after some beginning; written as a Go duration, `0s` for the beginning itself."""


def is_duration(field: FieldInfo | None) -> bool:
    """Whether a model's field holds a duration, or a list of them."""
    if field is None:
        return False
    # Of `list[Duration]` pydantic keeps the annotation as it is; of a plain one it takes the metadata apart.
    inner = [item for argument in getattr(field.annotation, "__args__", ()) for item in _metadata(argument)]
    return any(isinstance(item, BeforeValidator) and item.func is parse_duration for item in (*field.metadata, *inner))


def _metadata(annotation: Any) -> tuple[Any, ...]:
    return tuple(getattr(annotation, "__metadata__", ()))


def shown(seconds: float) -> str:
    """`500ms`, `30s`: what `parse_duration` reads as the same value."""
    return f"{seconds:g}s" if seconds >= 1 or seconds == 0 else f"{seconds * 1000:g}ms"


def written(model: BaseModel) -> dict[str, Any]:
    """The model as a user would write it: durations with their unit, nothing that is None; extra fields as they are."""
    fields = {field.serialization_alias or name: (name, field) for name, field in type(model).model_fields.items()}
    dumped: Mapping[str, Any] = model.model_dump(exclude_none=True)
    return {
        key: _written(getattr(model, name), field) for key in dumped for name, field in [fields.get(key, (key, None))]
    }


def _written(value: Any, field: FieldInfo | None) -> Any:
    if isinstance(value, BaseModel):
        return written(value)
    if isinstance(value, list):
        return [_written(item, field) for item in value]
    if isinstance(value, float) and is_duration(field):
        return shown(value)
    return value
