"""Pydantic's errors as ours: file, line, dotted field, what was found and the nearest name for a typo."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from fleet.errors import SpecError
from fleet.model.base import NAME_PATTERN

Place = tuple[Path | str | None, int | None]
FieldPath = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

SHOWN = 5
"""Errors of one file that are reported at once; more do not fit a terminal and mostly follow from the first."""
LISTED_NAMES = 18
"""Names that are listed when none is near: as many as the experiment file has fields."""
VALUE_WIDTH = 60
"""Characters of a wrong value that a message shows."""
CUTOFF = 0.6
"""Likeness from which a name is offered for a typo: difflib's own default."""
_PLAIN = {
    "missing": "is missing",
    "model_type": "must be a mapping of fields, not {}",
    "dict_type": "must be a mapping, not {}",
    "list_type": "must be a list, not {}",
    "int_type": "must be a whole number, not {}",
    "int_parsing": "must be a whole number, not {}",
    "int_from_float": "must be a whole number, not {}",
    "float_type": "must be a number, not {}",
    "float_parsing": "must be a number, not {}",
    "string_type": "must be text, not {}: quote it if it is meant so",
}
NAME_RULE = "lower-case letters, digits and '-', at most 40 of them, first and last a letter or digit (RFC 1123)"


def validate(model: type[M], data: Any, place: Callable[[FieldPath], Place]) -> M:
    """`data` as `model`. `place` gives file and line of a field. Raises SpecError with up to five problems."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise told(model, data, error, place) from error


def told(model: type[BaseModel], data: Any, error: ValidationError, place: Callable[[FieldPath], Place]) -> SpecError:
    """One SpecError for all that pydantic found: the first has the file, line and field; the rest follow as lines."""
    problems = _merged(error.errors(include_url=False), data)
    problems.sort(key=lambda item: place(item[0])[1] or 0)
    errors = []
    for path, details in problems[:SHOWN]:
        file, line = place(path)
        field = dotted(path) or None
        errors.append(SpecError(_message(model, path, details), file=file, line=line, field=field))
    first = errors[0]
    more = [str(other) for other in errors[1:]]
    if len(problems) > SHOWN:
        more.append(f"and {len(problems) - SHOWN} more problems in this file")
    first.args = ("\n".join([str(first), *more]),)
    return first


def dotted(path: Sequence[str | int]) -> str:
    """`('thresholds', 0, 'test')` as `thresholds.0.test`."""
    return ".".join(str(part) for part in path)


def nearest(word: str, names: Iterable[str]) -> str:
    """`; did you mean x?` or, when nothing is near, the names there are; empty when there are none."""
    known = sorted(names)
    close = get_close_matches(word, known, n=1, cutoff=CUTOFF)
    if close:
        return f"; did you mean `{close[0]}`?"
    if len(known) > LISTED_NAMES:
        known = [*known[:LISTED_NAMES], f"and {len(known) - LISTED_NAMES} more"]
    return f"; there: {', '.join(known)}" if known else ""


def fields_at(model: type[BaseModel], path: Sequence[str | int]) -> Mapping[str, FieldInfo] | None:
    """Names and definitions of the fields of the model that stands at `path` inside `model`; None when none does."""
    current: Any = model
    for part in path:
        if isinstance(part, int) or part.isdigit():
            current = next((arg for arg in _unwrapped(current) if arg is not None), None)
            continue
        fields = _model_fields(current)
        if fields is None or part not in fields:
            return None
        current = fields[part].annotation
    return _model_fields(current)


def is_choice(model: type[BaseModel], path: Sequence[str | int]) -> bool:
    """Whether the model that stands at `path` allows one of its fields only."""
    current: Any = model
    for part in path:
        fields = _model_fields(current) or {}
        current = fields[str(part)].annotation if str(part) in fields else None
    return any(getattr(candidate, "ONE_FIELD", False) for candidate in (current, *_unwrapped(current)))


def _model_fields(annotation: Any) -> Mapping[str, FieldInfo] | None:
    for candidate in (annotation, *_unwrapped(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return {field.alias or name: field for name, field in candidate.model_fields.items()}
    return None


def _unwrapped(annotation: Any) -> tuple[Any, ...]:
    origin = get_origin(annotation)
    if origin in (list, tuple):
        return get_args(annotation)
    if origin in (Annotated, Union, types.UnionType):  # one around another: a choice by a word of the value
        return tuple(inner for part in get_args(annotation) for inner in (part, *_choices(part)))
    return ()


def _choices(annotation: Any) -> tuple[Any, ...]:
    return () if get_origin(annotation) in (list, tuple) else _unwrapped(annotation)


def _merged(errors: Sequence[ErrorDetails], data: Any) -> list[tuple[FieldPath, list[ErrorDetails]]]:
    """Errors by the field they are about; branches of a union that point deeper win over those that do not."""
    found: dict[FieldPath, list[ErrorDetails]] = {}
    for error in errors:
        path = _real_path(error, data)
        found.setdefault(path, []).append(error)
    deepest = [path for path in found if not any(len(o) > len(path) and o[: len(path)] == path for o in found)]
    return [(path, found[path]) for path in deepest]


def _real_path(error: ErrorDetails, data: Any) -> FieldPath:
    """The error's location without the names of union branches, which no file has."""
    path: list[str | int] = []
    current = data
    for index, part in enumerate(error["loc"]):
        last = index == len(error["loc"]) - 1
        if isinstance(current, Mapping) and (part in current or (last and error["type"] == "missing")):
            current = current.get(part)
            path.append(part)
        elif isinstance(current, list) and isinstance(part, int) and part < len(current):
            current = current[part]
            path.append(part)
    return tuple(path)


def unknown(model: type[BaseModel], path: FieldPath) -> str:
    """What to say of a field that `model` does not have at `path`: the nearest name here, else one further in."""
    word, beside = str(path[-1]), fields_at(model, path[:-1]) or {}
    if not get_close_matches(word, beside, n=1, cutoff=CUTOFF):
        inner = {
            leaf: dotted((*path[:-1], name, leaf))
            for name in beside
            for leaf in fields_at(model, (*path[:-1], name)) or {}
        }
        close = get_close_matches(word, inner, n=1, cutoff=CUTOFF)
        if close:
            return f"unknown field; did you mean `{inner[close[0]]}`?"
    return f"unknown field{nearest(word, beside)}"


def _message(model: type[BaseModel], path: FieldPath, details: Sequence[ErrorDetails]) -> str:
    return " or ".join(dict.fromkeys(_one(model, path, error) for error in details))


def _one(model: type[BaseModel], path: FieldPath, error: ErrorDetails) -> str:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return unknown(model, path)
    if kind == "literal_error":
        return f"must be {context['expected']}, not {shown(value)}"
    if kind in _PLAIN:
        return _PLAIN[kind].format(shown(value))
    if kind == "string_pattern_mismatch" and context.get("pattern") == NAME_PATTERN:
        return f"{shown(value)} is not a name: {NAME_RULE}"
    if kind == "value_error":
        return error["msg"].removeprefix("Value error, ")
    text = error["msg"].removeprefix("Input ")
    return f"{text[0].lower()}{text[1:]}, not {shown(value)}"


def shown(value: Any) -> str:
    """A value of foreign origin for a message: escaped, at most 60 characters."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = ascii(value)
    return text if len(text) <= VALUE_WIDTH else f"{text[: VALUE_WIDTH - 3]}..."
